//! Fields of the other query language, and states that step back from JSONata.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Only;
use crate::node::Node;
use crate::program::QueryLanguage;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    downgrade(site, report);
    for member in site.node.members() {
        let Some(field) = site.holder.field(&member.key).filter(|field| !site.speaks(field)) else {
            continue;
        };
        let (mine, other) = match field.only {
            Only::JsonPath => ("JSONata", "JSONPath"),
            _ => ("JSONPath", "JSONata"),
        };
        let message = format!(
            "The QueryLanguage is set to '{mine}', but field '{}' is only supported for the '{other}' QueryLanguage",
            member.key
        );
        let help = match (field.name, field.only) {
            ("Parameters", Only::JsonPath) => "In JSONata, the field is called Arguments.",
            ("ItemsPath", Only::JsonPath) => "In JSONata, the field is called Items.",
            (_, Only::JsonPath) => "In JSONata, an expression in Arguments, Output or Assign does its work.",
            ("Arguments", _) => "In JSONPath, the field is called Parameters.",
            _ => "Set QueryLanguage to JSONata to use it.",
        };
        report.push(
            Diagnostic::new(&codes::OTHER_LANGUAGE_FIELD, message, site.at.to_string(), member.key_span)
                .help(help),
        );
    }
}

fn downgrade(site: &Site<'_>, report: &mut Report) {
    if !site.holder.is_state() || site.context.outline.language != QueryLanguage::Jsonata {
        return;
    }
    let Some(member) = site.node.member("QueryLanguage") else { return };
    if Node::as_str(&member.value) == Some("JSONPath") {
        let message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine";
        report.push(
            Diagnostic::new(&codes::LANGUAGE_DOWNGRADE, message, site.at.to_string(), member.value.span)
                .help("Leave the machine's QueryLanguage away and set JSONata in the states that use it."),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{jsonata, state};

    #[test]
    fn table() {
        let only = |mine: &str, field: &str, other: &str| {
            format!(
                "The QueryLanguage is set to '{mine}', but field '{field}' is only supported for the '{other}' QueryLanguage at "
            )
        };
        state(r#""Type":"Pass","End":true,"Output":1"#, &[&only("JSONPath", "Output", "JSONata")]);
        jsonata(r#""Type":"Pass","End":true,"InputPath":"$""#, &[&only("JSONata", "InputPath", "JSONPath")]);
        jsonata(
            r#""Type":"Choice","Choices":[{"Variable":"$","Next":"T"}]"#,
            &[&format!("{}/Choices[0]", only("JSONata", "Variable", "JSONPath"))],
        );
        jsonata(
            r#""Type":"Pass","End":true,"QueryLanguage":"JSONPath""#,
            &["'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at "],
        );
        state(r#""Type":"Pass","End":true,"QueryLanguage":"JSONata","Output":1"#, &[]);
        // The flows within take the machine's language, not the Map's.
        state(
            r#""Type":"Map","QueryLanguage":"JSONata","End":true,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","Output":1,"End":true}}}"#,
            &[&format!("{}/ItemProcessor/States/P", only("JSONPath", "Output", "JSONata"))],
        );
        state(
            r#""Type":"Map","End":true,"ItemProcessor":{"QueryLanguage":"JSONata","StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#,
            &["Field 'QueryLanguage' is not supported at /ItemProcessor"],
        );
        state(
            r#""Type":"Pass","End":true,"QueryLanguage":"jsonpath""#,
            &["Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage"],
        );
    }
}
