//! Fields of the machine itself.

use crate::run;

#[test]
fn fields() {
    let rows = [
        (
            r#"{"Comment":"of the machine","Version":"1.0","QueryLanguage":"JSONPath","StartAt":"B","States":{
                "A":{"Type":"Succeed"},"B":{"Type":"Pass","Result":"from B","Next":"A"}}}"#,
            r#""from B""#,
        ),
        (
            r#"{"Comment":"of the machine","Version":"1.0","QueryLanguage":"JSONata","StartAt":"B","States":{
                "A":{"Type":"Succeed"},"B":{"Type":"Pass","Output":"{% 'from B' %}","Next":"A"}}}"#,
            r#""from B""#,
        ),
        (
            r#"{"TimeoutSeconds":5,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":6,"End":true}}}"#,
            // Timed out; AWS gives neither error nor cause.
            "@5s : ",
        ),
        (
            r#"{"TimeoutSeconds":7,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":6,"End":true}}}"#,
            "@6s {}",
        ),
    ];
    for (definition, expected) in rows {
        assert_eq!(run(definition, "{}"), expected, "{definition}");
    }
}
