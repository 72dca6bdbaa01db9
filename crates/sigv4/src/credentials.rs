//! A caller's keys.

/// Who signs.
#[derive(Clone)]
pub struct Credentials {
    /// Such as `AKIDEXAMPLE`.
    pub access_key_id: String,
    /// Never shown, not even by `Debug`.
    pub secret_access_key: String,
    /// For temporary credentials: goes into `X-Amz-Security-Token`.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
