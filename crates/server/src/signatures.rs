//! Verifies signatures (SigV4) with the keys of a ring.

use std::sync::Arc;

use hyper::http::request::Parts;
use stepwright_sigv4::{Claim, Refusal, Rules, WireRequest, sha256_hex};

use crate::access::{Caller, Verifier};
use crate::environment::Environment;
use crate::error::{ProtocolError, ServerError};
use crate::keys::{Key, KeyRing};

/// How far a caller's clock may be off. AWS's JSON services say "5 min." in their refusals.
const SKEW_MAX_MINUTES: i64 = 5;

/// A server's judge of signatures.
pub struct Signatures {
    keys: Arc<KeyRing>,
    environment: Arc<dyn Environment>,
}

impl Signatures {
    /// Accepts requests that one of the keys has signed, for whatever region.
    pub fn new(keys: Arc<KeyRing>, environment: Arc<dyn Environment>) -> Signatures {
        Signatures { keys, environment }
    }

    /// The claim of a request, which is for this server and this time, and the key that it names.
    fn claim<'h>(
        &self,
        headers: &[(&'h str, &'h str)],
        service: &str,
    ) -> Result<(Claim<'h>, Arc<Key>), Refusal> {
        let claim = Claim::read(headers)?;
        claim.check(&Rules {
            region: None,
            service,
            now_s: self.environment.now_ms().div_euclid(1_000),
            skew_max_minutes: SKEW_MAX_MINUTES,
        })?;
        let key = self.keys.find(claim.access_key_id).ok_or(Refusal::UnknownKey)?;
        claim.check_token(key.session_token())?;
        Ok((claim, key))
    }
}

impl Verifier for Signatures {
    fn verify(&self, head: &Parts, body: &[u8], service: &str) -> Result<Caller, ServerError> {
        let headers = header_texts(head)?;
        let (claim, key) = self.claim(&headers, service).map_err(refused)?;
        let payload_sha256 = sha256_hex(body);
        let request = WireRequest {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &headers,
            payload_sha256: &payload_sha256,
        };
        claim.check_signature(&request, &key.signing_key(&claim.scope)).map_err(refused)?;
        Ok(Caller::Known {
            access_key_id: key.access_key_id.clone(),
            principal: key.principal.clone(),
            account_id: key.account_id.clone(),
        })
    }

    fn verify_head(&self, head: &Parts, service: &str) -> Result<(), ServerError> {
        self.claim(&header_texts(head)?, service).map(|_| ()).map_err(refused)
    }
}

/// The access key id that a request names, proved or not.
pub(crate) fn claimed_key_id(head: &Parts) -> Option<String> {
    let authorization = head.headers.get(hyper::header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    let id: String = credential
        .chars()
        .take_while(|char| char.is_ascii_alphanumeric() || *char == '_' || *char == '-')
        .take(128)
        .collect();
    (!id.is_empty()).then_some(id)
}

/// The access key id and the region of a request's credential, proved or not.
pub(crate) fn claimed_scope(head: &Parts) -> Option<(&str, &str)> {
    let mut parts = claimed_credential(head)?;
    let (access_key_id, _date, region) = (parts.next()?, parts.next()?, parts.next()?);
    Some((access_key_id, region))
}

/// The service of a request's credential, proved or not.
pub(crate) fn claimed_service(head: &Parts) -> Option<&str> {
    claimed_credential(head)?.nth(3)
}

/// Access key id, date, region and service.
fn claimed_credential(head: &Parts) -> Option<std::str::Split<'_, char>> {
    let authorization = head.headers.get(hyper::header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    Some(credential.split(',').next()?.split('/'))
}

/// All headers as texts, names in lower case.
fn header_texts(head: &Parts) -> Result<Vec<(&str, &str)>, ServerError> {
    let mut texts = Vec::with_capacity(head.headers.len() + 1);
    for (name, value) in &head.headers {
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| {
            refused(Refusal::Incomplete(format!("The value of the header '{name}' is not UTF-8.")))
        })?;
        texts.push((name.as_str(), value));
    }
    Ok(texts)
}

fn refused(refusal: Refusal) -> ServerError {
    let error = match refusal {
        Refusal::Unsigned => ProtocolError::MissingAuthenticationToken,
        Refusal::Incomplete(_) => ProtocolError::IncompleteSignature,
        Refusal::UnknownKey => ProtocolError::UnrecognizedClient,
        Refusal::Invalid(_) => ProtocolError::InvalidSignature,
    };
    ServerError::new(error, refusal.to_string())
}
