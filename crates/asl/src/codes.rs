//! The codes of all findings, and the page that explains each.
//!
//! `SW0…` are errors, `SW1…` warnings. A code is never used again for something else. Pages are in
//! `docs/diagnostics/`, one per code; a test holds both lists together and runs the examples in the pages.

use crate::diagnostic::Severity;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `SW0101`.
    pub id: &'static str,
    /// What AWS calls it, when AWS has such findings.
    pub aws: Option<&'static str>,
    pub severity: Severity,
    /// Markdown.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident $id:literal $severity:ident $aws:expr;)*) => {
        $(pub static $name: Code = Code {
            id: $id,
            aws: $aws,
            severity: Severity::$severity,
            page: include_str!(concat!("../../../docs/diagnostics/", $id, ".md")),
        };)*

        /// All codes, in order.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

const SCHEMA: Option<&str> = Some("SCHEMA_VALIDATION_FAILED");

codes! {
    // The text.
    NOT_JSON "SW0001" Error Some("INVALID_JSON_DESCRIPTION");
    NOT_AN_OBJECT "SW0002" Error SCHEMA;
    TOO_LARGE "SW0003" Error Some("INVALID_JSON_DESCRIPTION");
    TOO_DEEPLY_NESTED "SW0004" Error Some("TOO_DEEPLY_NESTED");
    NOT_YAML "SW0005" Error Some("INVALID_JSON_DESCRIPTION");
    NOT_COMPILED "SW0006" Error SCHEMA;
    // Fields.
    MISSING_FIELD "SW0101" Error SCHEMA;
    UNSUPPORTED_FIELD "SW0102" Error SCHEMA;
    WRONG_TYPE "SW0103" Error SCHEMA;
    OUT_OF_RANGE "SW0104" Error SCHEMA;
    NOT_A_CHOICE "SW0105" Error SCHEMA;
    TOO_MANY_FIELDS "SW0106" Error SCHEMA;
    NONE_OF_FIELDS "SW0107" Error SCHEMA;
    EMPTY_VALUE "SW0108" Error SCHEMA;
    BAD_TIMESTAMP "SW0109" Error SCHEMA;
    STATES_ALL_PLACE "SW0110" Error SCHEMA;
    HEARTBEAT_NOT_BELOW_TIMEOUT "SW0111" Error SCHEMA;
    MISPLACED "SW0112" Error SCHEMA;
    // Query languages.
    OTHER_LANGUAGE_FIELD "SW0201" Error SCHEMA;
    LANGUAGE_DOWNGRADE "SW0202" Error SCHEMA;
    BAD_PATH "SW0203" Error SCHEMA;
    BAD_REFERENCE_PATH "SW0204" Error SCHEMA;
    BAD_TEMPLATE_VALUE "SW0205" Error SCHEMA;
    BAD_EXPRESSION "SW0206" Error Some("INVALID_JSONATA_EXPRESSION");
    REFUSED_EXPRESSION "SW0207" Error Some("UNSUPPORTED_JSONATA_EXPRESSION");
    UNCLOSED_EXPRESSION "SW0208" Error SCHEMA;
    BAD_VARIABLE_NAME "SW0209" Error Some("INVALID_VARIABLE_NAME");
    RESERVED_VARIABLE "SW0210" Error Some("RESERVED_VARIABLE_NAME");
    SHADOWED_VARIABLE "SW0211" Error Some("DUPLICATE_VARIABLE_NAME");
    // Tasks.
    BAD_RESOURCE "SW0301" Error SCHEMA;
    EXPRESS_PATTERN "SW0302" Error SCHEMA;
    MISSING_ROLE "SW0303" Error SCHEMA;
    BAD_READER "SW0304" Error SCHEMA;
    MISSING_PARAMETER "SW0305" Error SCHEMA;
    UNSUPPORTED_PARAMETER "SW0306" Error SCHEMA;
    // Names and transitions.
    DUPLICATE_STATE "SW0401" Error Some("DUPLICATE_STATE_NAME");
    BAD_STATE_NAME "SW0402" Error Some("INVALID_STATE_NAME");
    MISSING_TARGET "SW0403" Error Some("MISSING_TRANSITION_TARGET");
    UNREACHABLE_STATE "SW0404" Error Some("MISSING_TRANSITION_TARGET");
    NO_TERMINAL_STATE "SW0405" Error Some("MISSING_END_STATE");
    BAD_LABEL "SW0406" Error Some("INVALID_LABEL_NAME");
    DUPLICATE_LABEL "SW0407" Error Some("DUPLICATE_LABEL_NAME");
    // Warnings that AWS has too.
    NO_DOLLAR "SW1001" Warning Some("NO_DOLLAR");
    NO_PATH "SW1002" Warning Some("NO_PATH");
    STATIC_RESULT "SW1003" Warning Some("PASS_RESULT_IS_STATIC");
    // Warnings of our own.
    DUPLICATE_KEY "SW1101" Warning None;
    UNASSIGNED_VARIABLE "SW1102" Warning None;
    NO_TIMEOUT "SW1103" Warning None;
    MANY_RETRIES "SW1104" Warning None;
    DEAD_HANDLER "SW1105" Warning None;
    UNKNOWN_STATES_ERROR "SW1106" Warning None;
    NO_WAY_OUT "SW1107" Warning None;
    ISLAND "SW1108" Warning None;
    NO_SUCH_STATES_FIELD "SW1109" Warning None;
    ONLY_DISTRIBUTED "SW1110" Warning None;
}

/// The page of a code: what it means, an example that has it, one that has not, and how to mend it.
pub fn explain(id: &str) -> Option<&'static str> {
    ALL.iter().find(|code| code.id == id).map(|code| code.page)
}
