//! Which settings of `ReaderConfig` go together: recordings of AWS in <https://github.com/gabrielmoreira/tiny-asl-machine>
//! (`Validation.ItemReader`). `InputType` decides, and of CSV files `CSVHeaderLocation`: while one of them is missing, AWS looks
//! at nothing else.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;

/// Fields that only CSV files have, and what their header says.
const CSV: [&str; 3] = ["CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"];

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let text = |name| site.node.get(name).and_then(Node::as_str);
    let mut required = |message: &str, help: &str| {
        let finding =
            Diagnostic::new(&codes::BAD_READER, message, site.at.to_string(), site.node.span).help(help);
        report.push(finding);
    };
    match text("InputType") {
        None if text("Transformation") == Some("LOAD_AND_FLATTEN") => {
            required("The field 'InputType' is required", "It says what the listed objects hold.");
        }
        Some("CSV") if !site.node.has("CSVHeaderLocation") => required(
            "The field 'CSVHeaderLocation' is required",
            "FIRST_ROW when the file names its columns, else GIVEN and CSVHeaders.",
        ),
        Some("CSV") if text("CSVHeaderLocation") == Some("GIVEN") && !site.node.has("CSVHeaders") => {
            required("These fields are required: [CSVHeaders]", "The names of the columns.");
        }
        Some("JSON") => {
            unsupported(site, &CSV, "Only CSV files have columns.", report);
            unsupported(site, &["ManifestType"], "A manifest is no JSON array of items.", report);
        }
        Some("JSONL" | "PARQUET") => unsupported(site, &CSV, "Only CSV files have columns.", report),
        _ => {}
    }
    pointer(site, report);
}

fn unsupported(site: &Site<'_>, names: &[&str], help: &str, report: &mut Report) {
    for member in site.node.members().iter().filter(|member| names.contains(&&*member.key)) {
        let message = format!("Field '{}' is not supported", member.key);
        let finding =
            Diagnostic::new(&codes::UNSUPPORTED_FIELD, message, site.at.to_string(), member.key_span);
        report.push(finding.help(help));
    }
}

/// `ItemsPointer`, where it counts.
fn pointer(site: &Site<'_>, report: &mut Report) {
    let Some(node) = site.node.get("ItemsPointer") else { return };
    let is_json = site.node.get("InputType").and_then(Node::as_str) == Some("JSON");
    let Some(pointer) = node.as_str().filter(|text| is_json && !text.is_empty() && !text.starts_with('/'))
    else {
        return;
    };
    let message = format!("Invalid input: JSON Pointer expression must start with '/': \"{pointer}\"");
    let at = site.at.key("ItemsPointer").to_string();
    report.push(Diagnostic::new(&codes::BAD_READER, message, at, node.span));
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
            &[&format!("The field 'CSVHeaderLocation' is required {at}")],
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
        // While something that decides is missing, nothing else is looked at.
        for config in [
            r#"{"InputType":"CSV","ItemsPointer":"data"}"#,
            r#"{"InputType":"CSV","ManifestType":"S3_INVENTORY"}"#,
        ] {
            state(&reader(config), &[&format!("The field 'CSVHeaderLocation' is required {at}")]);
        }
        state(
            &reader(r#"{"Transformation":"LOAD_AND_FLATTEN"}"#),
            &[&format!("The field 'InputType' is required {at}")],
        );
        state(
            &reader(r#"{"InputType":"JSON","ManifestType":"ATHENA_DATA"}"#),
            &[&format!("Field 'ManifestType' is not supported {at}")],
        );
        state(
            &reader(r#"{"InputType":"JSONL","CSVHeaderLocation":"GIVEN","CSVHeaders":["id"]}"#),
            &[
                &format!("Field 'CSVHeaderLocation' is not supported {at}"),
                &format!("Field 'CSVHeaders' is not supported {at}"),
            ],
        );
        state(
            &reader(r#"{"InputType":"JSON","ItemsPointer":"data/items"}"#),
            &[&format!(
                "Invalid input: JSON Pointer expression must start with '/': \"data/items\" {at}/ItemsPointer"
            )],
        );
        state(&reader(r#"{"InputType":"JSON","ItemsPointer":"/data/items"}"#), &[]);
        state(
            &reader(r#"{"InputType":"XML"}"#),
            &[&format!(
                "The field 'InputType' should have one of these values: [CSV, JSON, JSONL, MANIFEST, PARQUET] {at}/InputType"
            )],
        );
        state(
            &reader(r#"{"InputType":"JSON","MaxItems":100000001}"#),
            &[&format!("Maximum value is 100000000 {at}/MaxItems")],
        );
    }
}
