//! Which settings of `ReaderConfig` go together.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let text = |name| site.node.get(name).and_then(Node::as_str);
    let location = text("CSVHeaderLocation");
    match (text("InputType"), site.node.member("CSVHeaderLocation")) {
        (Some("CSV"), None) => report.push(
            Diagnostic::new(
                &codes::BAD_READER,
                "The field 'CSVHeaderLocation' is required but was missing",
                site.at.to_string(),
                site.node.span,
            )
            .help("FIRST_ROW when the file names its columns, else GIVEN and CSVHeaders."),
        ),
        (Some("JSON"), Some(member)) => report.push(
            Diagnostic::new(
                &codes::UNSUPPORTED_FIELD,
                "Field 'CSVHeaderLocation' is not supported",
                site.at.to_string(),
                member.key_span,
            )
            .help("Only CSV files have a header."),
        ),
        _ => {}
    }
    if location == Some("GIVEN") && !site.node.has("CSVHeaders") {
        report.push(Diagnostic::new(
            &codes::MISSING_FIELD,
            "These fields are required: [CSVHeaders]",
            site.at.to_string(),
            site.node.span,
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, state};

    #[test]
    fn table() {
        let reader = |config: &str| {
            format!(
                r#"{DISTRIBUTED},"ItemReader":{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{config}}}"#
            )
        };
        let at = "at /ItemReader/ReaderConfig";
        state(
            &reader(r#"{"InputType":"CSV"}"#),
            &[&format!("The field 'CSVHeaderLocation' is required but was missing {at}")],
        );
        state(
            &reader(r#"{"InputType":"JSON","CSVHeaderLocation":"FIRST_ROW"}"#),
            &[&format!("Field 'CSVHeaderLocation' is not supported {at}")],
        );
        state(
            &reader(r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN"}"#),
            &[&format!("These fields are required: [CSVHeaders] {at}")],
        );
        state(&reader(r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a"]}"#), &[]);
        state(
            &reader(r#"{"InputType":"JSON","MaxItems":100000001}"#),
            &[&format!("Maximum value is 100000000 {at}/MaxItems")],
        );
    }
}
