//! A state machine's logging configuration as the engine takes it.

use stepwright_engine::{LogLevel, Logging};

use crate::model::{self, LoggingConfiguration};

/// `None` when nothing is logged.
pub fn of(configuration: &LoggingConfiguration) -> Option<Logging> {
    let level = match configuration.level? {
        model::LogLevel::Off => return None,
        model::LogLevel::Fatal => LogLevel::Fatal,
        model::LogLevel::Error => LogLevel::Error,
        model::LogLevel::All => LogLevel::All,
    };
    let destination = configuration.destinations.as_deref()?.first()?;
    let log_group_arn = destination.cloud_watch_logs_log_group.as_ref()?.log_group_arn.as_deref()?;
    Some(Logging {
        level,
        include_data: configuration.include_execution_data.unwrap_or(false),
        log_group_arn: log_group_arn.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn levels() {
        let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g:*";
        let destinations = json!([{ "cloudWatchLogsLogGroup": { "logGroupArn": arn } }]);
        for (level, expected) in [
            ("OFF", None),
            ("FATAL", Some(LogLevel::Fatal)),
            ("ERROR", Some(LogLevel::Error)),
            ("ALL", Some(LogLevel::All)),
        ] {
            let configuration = json!({
                "level": level, "includeExecutionData": true, "destinations": destinations,
            });
            let configuration = serde_json::from_value(configuration).expect("a configuration");
            let expected =
                expected.map(|level| Logging { level, include_data: true, log_group_arn: arn.into() });
            assert_eq!(of(&configuration), expected, "{level}");
        }
        assert_eq!(of(&LoggingConfiguration::default()), None);
    }
}
