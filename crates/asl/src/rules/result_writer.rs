//! What a `ResultWriter` needs. Step Functions Developer Guide, "ResultWriter": `WriterConfig`, or `Resource` and its parameters, or
//! all three.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::program::QueryLanguage;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let parameters = match site.language {
        QueryLanguage::JsonPath => "Parameters",
        QueryLanguage::Jsonata => "Arguments",
    };
    let (code, message) = match (site.node.has("Resource"), site.node.has(parameters)) {
        (false, false) if !site.node.has("WriterConfig") => {
            (&codes::EMPTY_VALUE, "Value cannot be empty".to_owned())
        }
        (true, false) => (&codes::MISSING_FIELD, format!("These fields are required: [{parameters}]")),
        (false, true) => (&codes::MISSING_FIELD, "These fields are required: [Resource]".to_owned()),
        _ => return,
    };
    report.push(
        Diagnostic::new(code, message, site.at.to_string(), site.node.span)
            .help(format!("It has WriterConfig, or Resource and {parameters}, or all three.")),
    );
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, jsonata, state};

    #[test]
    fn table() {
        let writer = |fields: &str| format!(r#"{DISTRIBUTED},"ResultWriter":{{{fields}}}"#);
        let resource = r#""Resource":"arn:aws:states:::s3:putObject""#;
        let config = r#""WriterConfig":{"OutputType":"JSON","Transformation":"NONE"}"#;
        let parameters = r#""Parameters":{"Bucket":"b"}"#;
        for fields in ["", r#""Comment":"none""#] {
            state(&writer(fields), &["Value cannot be empty at /ResultWriter"]);
        }
        for fields in [resource.to_owned(), format!("{resource},{config}")] {
            state(&writer(&fields), &["These fields are required: [Parameters] at /ResultWriter"]);
            jsonata(&writer(&fields), &["These fields are required: [Arguments] at /ResultWriter"]);
        }
        state(&writer(parameters), &["These fields are required: [Resource] at /ResultWriter"]);
        for config in ["{}", r#"{"Transformation":"COMPACT"}"#] {
            state(
                &writer(&format!(r#""WriterConfig":{config}"#)),
                &["These fields are required: [OutputType] at /ResultWriter/WriterConfig"],
            );
        }
        for fields in [
            config.to_owned(),
            format!("{resource},{parameters}"),
            format!("{config},{resource},{parameters}"),
        ] {
            state(&writer(&fields), &[]);
        }
    }
}
