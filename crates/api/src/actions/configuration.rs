//! Logging, tracing and encryption configurations: defaults and checks.

use stepwright_types::arn::Arn;

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{
    EncryptionConfiguration, EncryptionType, ErrorName, LogLevel, LoggingConfiguration, TracingConfiguration,
};

/// A customer's key where no reuse period is given (API reference of EncryptionConfiguration). Seconds.
const KEY_REUSE_S_DEFAULT: i32 = 300;

/// The logging configuration with its defaults filled in, its destination checked.
pub async fn logging(
    api: &Api,
    given: Option<LoggingConfiguration>,
) -> Result<LoggingConfiguration, ApiError> {
    let given = given.unwrap_or_default();
    let level = given.level.unwrap_or(LogLevel::Off);
    let destinations = given.destinations.as_deref().unwrap_or_default();
    if destinations.len() > 1 || (destinations.is_empty() && level != LogLevel::Off) {
        return Err(invalid_logging("Must specify exactly one Log Destination."));
    }
    for destination in destinations {
        let group = destination.cloud_watch_logs_log_group.as_ref();
        let Some(arn) = group.and_then(|group| group.log_group_arn.as_deref()) else {
            return Err(invalid_logging("Log Destination is empty."));
        };
        check_log_group(arn)?;
        let exists = api.backend.log_destination_exists(arn).await;
        if !exists.map_err(|error| ApiError::from_execution(error, arn))? {
            return Err(invalid_logging("Log Destination not found."));
        }
    }
    Ok(LoggingConfiguration {
        level: Some(level),
        include_execution_data: Some(given.include_execution_data.unwrap_or(false)),
        destinations: given.destinations,
    })
}

/// Whether it is the ARN of a log group, written as AWS wants it here: with `:*` behind the name.
fn check_log_group(arn: &str) -> Result<(), ApiError> {
    let group = Arn::parse(arn).filter(|arn| arn.service == "logs");
    let Some(name) = group.and_then(|group| group.resource_after("log-group")) else {
        return Err(invalid_logging("Log Destination not found."));
    };
    match name.strip_suffix(":*") {
        Some("") => Err(invalid_logging("Log Destination not found.")),
        Some(_) => Ok(()),
        None => Err(invalid_logging("Log Group ARN must be provided with '*' qualifier.")),
    }
}

fn invalid_logging(why: &str) -> ApiError {
    ApiError::service(ErrorName::InvalidLoggingConfiguration, format!("Invalid Logging Configuration: {why}"))
}

/// The tracing configuration with its default filled in.
pub fn tracing(given: Option<TracingConfiguration>) -> TracingConfiguration {
    TracingConfiguration { enabled: Some(given.and_then(|given| given.enabled).unwrap_or(false)) }
}

/// The encryption configuration with its defaults filled in. Whether there is such a key, AWS asks KMS; here nobody
/// is asked.
pub fn encryption(given: Option<EncryptionConfiguration>) -> Result<EncryptionConfiguration, ApiError> {
    let Some(given) = given else {
        return Ok(EncryptionConfiguration {
            r#type: EncryptionType::AwsOwnedKey,
            kms_key_id: None,
            kms_data_key_reuse_period_seconds: None,
        });
    };
    let invalid = |why: &str| {
        let message = format!("Invalid Encryption Configuration: {why}");
        Err(ApiError::service(ErrorName::InvalidEncryptionConfiguration, message))
    };
    match (given.r#type, &given.kms_key_id) {
        (EncryptionType::CustomerManagedKmsKey, None) => {
            invalid("kmsKeyId is required for CUSTOMER_MANAGED_KMS_KEY")
        }
        (EncryptionType::AwsOwnedKey, Some(_)) => invalid("kmsKeyId cannot be given for AWS_OWNED_KEY"),
        (EncryptionType::CustomerManagedKmsKey, Some(_)) => Ok(EncryptionConfiguration {
            kms_data_key_reuse_period_seconds: given
                .kms_data_key_reuse_period_seconds
                .or(Some(KEY_REUSE_S_DEFAULT)),
            ..given
        }),
        (EncryptionType::AwsOwnedKey, None) => Ok(given),
    }
}
