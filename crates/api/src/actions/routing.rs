//! Routing configurations of aliases.

use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::catalog::Version;
use crate::error::ApiError;
use crate::model::{RoutingConfigurationListItem, ValidationExceptionReason};

/// Checks a routing configuration and returns the state machine's plain ARN. All versions have to be there.
pub async fn check(api: &Api, routing: &[RoutingConfigurationListItem]) -> Result<String, ApiError> {
    let versions: Vec<&str> = routing.iter().map(|item| item.state_machine_version_arn.as_str()).collect();
    let mut plain: Option<&str> = None;
    for version in &versions {
        let arn = arn::machine(version)?;
        if !matches!(arn.qualifier, Qualifier::Version(_)) {
            return Err(invalid(format!(
                "Routing configuration must contain state machine version ARNs. Received: [{}]",
                versions.join(", ")
            )));
        }
        if plain.is_some_and(|plain| plain != arn.plain) {
            return Err(invalid(format!(
                "Routing configuration must contain versions of one state machine. Received: [{}]",
                versions.join(", ")
            )));
        }
        plain = Some(arn.plain);
    }
    if let [first, second] = versions.as_slice()
        && first == second
    {
        return Err(invalid(format!(
            "Routing configuration must contain distinct state machine version ARNs. Received: [{}]",
            versions.join(", ")
        )));
    }
    let weights: Vec<i32> = routing.iter().map(|item| item.weight).collect();
    if weights.iter().sum::<i32>() != 100 {
        return Err(invalid(format!(
            "Sum of routing configuration weights must equal 100. Received: {weights:?}"
        )));
    }
    for version in versions {
        if api.catalog.read::<Version>(version).await?.is_none() {
            return Err(ApiError::resource_not_found(version));
        }
    }
    Ok(plain.unwrap_or_default().to_owned())
}

fn invalid(message: String) -> ApiError {
    ApiError::validation_because(ValidationExceptionReason::InvalidRoutingConfiguration, message)
}
