//! The actions of AWS services that `aws-sdk` integrations can name.
//!
//! `sdk_actions.txt` is generated (`cargo xtask codegen`) from the public service models: a line `SERVICE: ACTION ACTION …` for each
//! service that the generator lists, in small letters: the actions whose answers have members. What else a service offers is not
//! known here, so that only of [`COMPLETE`] services an action can be refused.

const TABLE: &str = include_str!("sdk_actions.txt");

/// Names under which the service is known elsewhere, but not in integrations.
const OTHER_NAMES: &[&str] = &["states", "events", "logs", "elasticmapreduce", "monitoring"];

/// Services all of whose actions are in the table.
const COMPLETE: &[&str] = &["sfn"];

/// Whether there may be such an action: `service` with `aws-sdk:` in front. AWS writes services in small letters, and actions in
/// camel case.
pub(crate) fn may_be(service: &str, action: &str) -> bool {
    let name = service.strip_prefix("aws-sdk:").unwrap_or(service);
    let is_named_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        && action.starts_with(|c: char| c.is_ascii_lowercase())
        && action.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_named_well || OTHER_NAMES.contains(&name) {
        return false;
    }
    let complete = sdk_actions().find(|(service, _)| *service == name && COMPLETE.contains(&name));
    complete.is_none_or(|(_, actions)| {
        let action = action.to_ascii_lowercase();
        actions.split(' ').any(|known| known == action)
    })
}

/// The table: each service with its actions, in small letters.
pub fn sdk_actions() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.split_once(": "))
}

#[cfg(test)]
mod tests {
    use super::may_be;

    #[test]
    fn table() {
        for (service, action, expected) in [
            ("aws-sdk:s3", "getObject", true),
            ("aws-sdk:s3", "GetObject", false),
            ("aws-sdk:eventbridge", "disableRule", true),
            ("aws-sdk:sfn", "startExecution", true),
            ("aws-sdk:sfn", "startExecutions", false),
            ("aws-sdk:states", "startExecution", false),
            ("aws-sdk:dynamodb", "batchWriteItem", true),
            ("aws-sdk:cloudwatch-logs", "putLogEvents", false),
            // Not all in the table: nobody here can tell.
            ("aws-sdk:braket", "anything", true),
        ] {
            assert_eq!(may_be(service, action), expected, "{service}:{action}");
        }
    }
}
