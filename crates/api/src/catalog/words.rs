//! Words and types of the API as they are stored.

use stepwright_formats::FormatError;
use stepwright_formats::catalog::{Encryption, LogDestination, LogGroup, Logging, Route};

use crate::model::{
    self, EncryptionConfiguration, Enumeration, LoggingConfiguration, RoutingConfigurationListItem,
};

pub(super) fn word(value: impl Enumeration) -> String {
    value.as_str().to_owned()
}

pub(super) fn of_word<E: Enumeration>(word: &str) -> Result<E, FormatError> {
    E::from_text(word)
        .ok_or(FormatError::Malformed { found: "a word that this release does not know", at: 0 })
}

pub(super) fn encryption(encryption: &EncryptionConfiguration) -> Encryption {
    Encryption {
        kms_key_id: encryption.kms_key_id.clone(),
        kms_data_key_reuse_period_seconds: encryption.kms_data_key_reuse_period_seconds,
        r#type: word(encryption.r#type),
    }
}

pub(super) fn of_encryption(stored: Encryption) -> Result<EncryptionConfiguration, FormatError> {
    Ok(EncryptionConfiguration {
        kms_key_id: stored.kms_key_id,
        kms_data_key_reuse_period_seconds: stored.kms_data_key_reuse_period_seconds,
        r#type: of_word(&stored.r#type)?,
    })
}

pub(super) fn logging(logging: &LoggingConfiguration) -> Logging {
    let group =
        |group: &model::CloudWatchLogsLogGroup| LogGroup { log_group_arn: group.log_group_arn.clone() };
    let destination = |destination: &model::LogDestination| LogDestination {
        cloud_watch_logs_log_group: destination.cloud_watch_logs_log_group.as_ref().map(group),
    };
    Logging {
        level: logging.level.map(word),
        include_execution_data: logging.include_execution_data,
        destinations: logging.destinations.as_ref().map(|all| all.iter().map(destination).collect()),
    }
}

pub(super) fn of_logging(stored: Logging) -> Result<LoggingConfiguration, FormatError> {
    let group = |group: LogGroup| model::CloudWatchLogsLogGroup { log_group_arn: group.log_group_arn };
    let destination = |destination: LogDestination| model::LogDestination {
        cloud_watch_logs_log_group: destination.cloud_watch_logs_log_group.map(group),
    };
    Ok(LoggingConfiguration {
        level: stored.level.as_deref().map(of_word).transpose()?,
        include_execution_data: stored.include_execution_data,
        destinations: stored.destinations.map(|all| all.into_iter().map(destination).collect()),
    })
}

pub(super) fn route(route: &RoutingConfigurationListItem) -> Route {
    Route { state_machine_version_arn: route.state_machine_version_arn.clone(), weight: route.weight }
}

pub(super) fn of_route(stored: Route) -> RoutingConfigurationListItem {
    RoutingConfigurationListItem {
        state_machine_version_arn: stored.state_machine_version_arn,
        weight: stored.weight,
    }
}
