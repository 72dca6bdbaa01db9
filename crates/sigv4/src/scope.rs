//! What a signature is good for, and the key that signs within it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The service's name in scopes of requests to Step Functions.
pub const SERVICE_STATES: &str = "states";

/// What a signature is good for: one day, one region, one service.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `YYYYMMDD`, in UTC.
    pub date: &'a str,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// Such as `lambda`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// `20150830/us-east-1/iam/aws4_request`.
    pub fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// The key that signs within this scope. It may be kept for the day.
    pub fn signing_key(&self, secret_access_key: &str) -> [u8; 32] {
        let key = hmac_sha256(format!("AWS4{secret_access_key}").as_bytes(), self.date);
        let key = hmac_sha256(&key, self.region);
        let key = hmac_sha256(&key, self.service);
        hmac_sha256(&key, "aws4_request")
    }
}

pub(crate) fn hmac_sha256(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is good for HMAC: the error cannot occur.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}
