//! What a request says about who sent it, and whether that is true.
//!
//! [`Claim::read`] takes the claim from the headers, [`Claim::check`] compares it with the server and its clock,
//! [`Claim::check_token`] and [`Claim::check_signature`] with the credentials of the key that it names. Error names and
//! sentences are AWS's (as its services with JSON protocols answer them).

use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::ALGORITHM;
use crate::canonical::WireRequest;
use crate::scope::Scope;
use crate::time::{seconds, timestamp};

/// Characters of a region's name.
const REGION_CHARS_MAX: usize = 32;
/// Characters of a header that are repeated in a message.
const ECHO_CHARS_MAX: usize = 1_000;

/// Headers that say who, when or what. Each may be there once only: of two, client and server could mean different ones.
const SINGLE_HEADERS: [&str; 6] =
    ["authorization", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-target"];

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// Not signed at all.
    #[error("Request is missing Authentication Token")]
    Unsigned,
    /// The signature's header cannot be read.
    #[error("{0}")]
    Incomplete(String),
    /// No such key, or not with this session token.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// Signed for another service, region or time, or by somebody who does not have the key.
    #[error("{0}")]
    Invalid(String),
}

impl Refusal {
    fn wrong_signature() -> Refusal {
        Refusal::Invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details."
                .to_owned(),
        )
    }
}

/// What a server demands of a claim.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The server's region; `None` when it serves all.
    pub region: Option<&'a str>,
    /// The server's service.
    pub service: &'a str,
    /// The server's time, in seconds since 1970.
    pub now_s: i64,
    /// How far a client's clock may be off, either way.
    pub skew_max_minutes: i64,
}

/// A claim as it stands in the headers. Nothing of it is proved.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// Whose key signed.
    pub access_key_id: &'a str,
    /// For what it signed.
    pub scope: Scope<'a>,
    /// When, as `X-Amz-Date` says.
    pub timestamp: &'a str,
    terminator: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
    security_token: Option<&'a str>,
    signed_at_s: i64,
}

impl<'a> Claim<'a> {
    /// Reads the claim from a request's headers, names in lower case.
    pub fn read(headers: &[(&'a str, &'a str)]) -> Result<Claim<'a>, Refusal> {
        let header =
            |wanted: &str| headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.trim());
        let Some(authorization) = header("authorization").filter(|value| !value.is_empty()) else {
            return Err(Refusal::Unsigned);
        };
        for name in SINGLE_HEADERS {
            if headers.iter().filter(|(other, _)| *other == name).count() > 1 {
                return Err(Refusal::Incomplete(format!("The header '{name}' must be present only once.")));
            }
        }
        let parts = Parts::read(authorization, header("x-amz-date"))?;
        let signed_at_s = seconds(parts.timestamp).ok_or_else(|| {
            Refusal::Incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                shortened(parts.timestamp)
            ))
        })?;
        let [access_key_id, date, region, service, terminator] =
            *parts.credential.split('/').collect::<Vec<_>>()
        else {
            return Err(Refusal::Incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                shortened(parts.credential)
            )));
        };
        let claim = Claim {
            access_key_id,
            scope: Scope { date, region, service },
            timestamp: parts.timestamp,
            terminator,
            signed_headers: parts.signed_headers.split(';').collect(),
            signature: parts.signature,
            security_token: header("x-amz-security-token"),
            signed_at_s,
        };
        claim.check_signed_headers(headers)?;
        Ok(claim)
    }

    /// What has to be signed is signed, and what is said to be signed is there.
    fn check_signed_headers(&self, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-");
        let unsigned = |name: &str| !self.signed_headers.contains(&name);
        if unsigned("host") {
            let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(Refusal::Invalid(message.to_owned()));
        }
        if let Some((name, _)) = headers.iter().find(|(name, _)| must_be_signed(name) && unsigned(name)) {
            let message = format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
            return Err(Refusal::Invalid(message));
        }
        let is_there = |name: &&&str| headers.iter().any(|(other, _)| other == *name);
        if self.signed_headers.iter().any(|name| !is_there(&name)) {
            // The client has signed something that has not arrived.
            return Err(Refusal::wrong_signature());
        }
        Ok(())
    }

    /// Checks time and scope.
    pub fn check(&self, rules: &Rules<'_>) -> Result<(), Refusal> {
        let invalid = |message: String| Err(Refusal::Invalid(message));
        let skew_s = rules.skew_max_minutes * 60;
        let now = timestamp(rules.now_s);
        if self.signed_at_s < rules.now_s - skew_s {
            return invalid(format!(
                "Signature expired: {} is now earlier than {} ({now} - {} min.)",
                self.timestamp,
                timestamp(rules.now_s - skew_s),
                rules.skew_max_minutes
            ));
        }
        if self.signed_at_s > rules.now_s + skew_s {
            return invalid(format!(
                "Signature not yet current: {} is still later than {} ({now} + {} min.)",
                self.timestamp,
                timestamp(rules.now_s + skew_s),
                rules.skew_max_minutes
            ));
        }
        let mut faults = String::new();
        if self.terminator != "aws4_request" {
            faults += &format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                shortened(self.terminator)
            );
        }
        if self.scope.service != rules.service {
            faults += &format!("Credential should be scoped to correct service: '{}'. ", rules.service);
        }
        if rules.region.map_or(!is_region(self.scope.region), |region| self.scope.region != region) {
            faults += &format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                shortened(self.scope.region)
            );
        }
        let day = self.timestamp.get(..8).unwrap_or_default();
        if self.scope.date != day {
            faults += &format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', \
                 from '{}'. ",
                shortened(self.scope.date),
                self.timestamp
            );
        }
        if faults.is_empty() { Ok(()) } else { invalid(faults) }
    }

    /// Compares the session token with that of the key: both are there and the same, or neither is there.
    pub fn check_token(&self, expected: Option<&str>) -> Result<(), Refusal> {
        let is_right = match (self.security_token, expected) {
            (None, None) => true,
            (Some(given), Some(expected)) => given.as_bytes().ct_eq(expected.as_bytes()).into(),
            _ => false,
        };
        if is_right { Ok(()) } else { Err(Refusal::UnknownKey) }
    }

    /// Compares the signature, in constant time, with the one that `key` makes of the request. The request's headers are all
    /// that came with it; those that are not signed are left aside.
    pub fn check_signature(&self, request: &WireRequest<'_>, key: &[u8; 32]) -> Result<(), Refusal> {
        let said = request.headers.iter().find(|(name, _)| *name == "x-amz-content-sha256");
        if let Some((_, said)) = said
            && *said != request.payload_sha256
        {
            // Also what stands there to leave the payload unsigned, or signed in pieces: a body is always signed here.
            return Err(Refusal::Invalid(
                "The value of 'X-Amz-Content-Sha256' is not the SHA-256 of the request's body.".to_owned(),
            ));
        }
        let signed: Vec<(&str, &str)> =
            request.headers.iter().filter(|(name, _)| self.signed_headers.contains(name)).copied().collect();
        let canonical = WireRequest { headers: &signed, ..*request }.canonical();
        let expected = canonical.signature(key, self.timestamp, &self.scope);
        if expected.as_bytes().ct_eq(self.signature.as_bytes()).into() {
            Ok(())
        } else {
            Err(Refusal::wrong_signature())
        }
    }
}

/// The parameters of the `Authorization` header, and the time.
struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    timestamp: &'a str,
}

impl<'a> Parts<'a> {
    fn read(authorization: &'a str, timestamp: Option<&'a str>) -> Result<Parts<'a>, Refusal> {
        let incomplete = |message: String| Err(Refusal::Incomplete(message));
        let echo = shortened(authorization);
        let (algorithm, parameters) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let parameters = if algorithm == ALGORITHM {
            parameters
        } else if algorithm.starts_with("AWS") {
            return incomplete(format!("Unsupported AWS 'algorithm': '{}'.", shortened(algorithm)));
        } else {
            authorization
        };
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split([',', ' ']).filter(|parameter| !parameter.is_empty()) {
            let Some((name, value)) = parameter.split_once('=') else {
                return incomplete(format!(
                    "'{}' not a valid key=value pair (missing equal-sign) in Authorization header: '{echo}'.",
                    shortened(parameter)
                ));
            };
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    let name = shortened(name);
                    return incomplete(format!(
                        "'{name}' is not a parameter of the Authorization header: '{echo}'."
                    ));
                }
            };
            if place.replace(value).is_some() {
                return incomplete(format!("Authorization header has '{name}' twice. Authorization={echo}"));
            }
        }
        let present = |value: Option<&'a str>| value.filter(|value| !value.is_empty());
        let parts = (present(credential), present(signed_headers), present(signature), present(timestamp));
        if let (Some(credential), Some(signed_headers), Some(signature), Some(timestamp)) = parts {
            return Ok(Parts { credential, signed_headers, signature, timestamp });
        }
        let mut message = String::new();
        for (is_missing, name) in [
            (parts.0.is_none(), "Credential"),
            (parts.2.is_none(), "Signature"),
            (parts.1.is_none(), "SignedHeaders"),
        ] {
            if is_missing {
                message += &format!("Authorization header requires '{name}' parameter. ");
            }
        }
        if parts.3.is_none() {
            message +=
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        incomplete(format!("{message}Authorization={echo}"))
    }
}

/// Whether it can be a region's name.
pub fn is_region(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=REGION_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_name)
}

/// As much of a header as a message repeats.
fn shortened(text: &str) -> String {
    text.chars().take(ECHO_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
