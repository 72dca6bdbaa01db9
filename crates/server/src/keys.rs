//! The keys that callers may sign with: where they stand, what is refused, how they are exchanged while the server runs.
//!
//! The text is that of AWS's credentials files, so that what users have for their tools does here:
//!
//! ```text
//! [alice]                      # the name that the audit log shows
//! aws_access_key_id = AKIA…
//! aws_secret_access_key = …
//! aws_session_token = …        # only where the caller sends one
//! aws_account_id = …           # only where the caller is of another account than the server
//! ```

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use stepwright_sigv4::{Credentials, Scope};
use thiserror::Error;

/// Keys that one server knows.
const KEYS_MAX: usize = 10_000;
/// Whoever sees one signed request can try secrets against it; a short one would soon be found.
const SECRET_CHARS_MIN: usize = 16;

/// Why a text of credentials cannot be used. Says where, never what stands there.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum KeysError {
    #[error("line {line}: neither `[name]` nor `name = value`")]
    Line { line: usize },
    #[error("line {line}: {setting} stands before the first `[name]`")]
    NoName { line: usize, setting: String },
    #[error("[{name}] has no {setting}")]
    Missing { name: String, setting: &'static str },
    #[error("[{name}]: an access key id has 1 to 128 letters, digits, `_` or `-`")]
    KeyId { name: String },
    #[error(
        "[{name}]: a secret key has {SECRET_CHARS_MIN} characters or more, without white space; `openssl rand -base64 30` makes \
         a good one"
    )]
    Secret { name: String },
    #[error("[{name}]: an account id has 12 digits")]
    AccountId { name: String },
    #[error("[{name}] has the access key id of another entry")]
    Twice { name: String },
    #[error("more than {KEYS_MAX} keys")]
    TooMany,
    #[error("there is no key in it")]
    Empty,
}

/// A key, its owner's name, and what it signs with today.
pub(crate) struct Key {
    pub access_key_id: Arc<str>,
    pub principal: Arc<str>,
    pub account_id: Option<Arc<str>>,
    credentials: Credentials,
    /// The signing keys that were asked for lately.
    signing: Mutex<Vec<SigningKey>>,
}

/// What a key signs with on a day, in a region, for a service.
struct SigningKey {
    day: [u8; 8],
    region: Box<str>,
    service: Box<str>,
    key: [u8; 32],
}

/// Signing keys that are remembered of one key.
const SIGNING_KEYS: usize = 8;

impl Key {
    pub fn session_token(&self) -> Option<&str> {
        self.credentials.session_token.as_deref()
    }

    /// The signing key of a scope.
    pub fn signing_key(&self, scope: &Scope<'_>) -> [u8; 32] {
        let fresh = || scope.signing_key(&self.credentials.secret_access_key);
        let Ok(day) = <[u8; 8]>::try_from(scope.date.as_bytes()) else { return fresh() };
        let mut kept = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_scope = |known: &&SigningKey| {
            known.day == day && *known.region == *scope.region && *known.service == *scope.service
        };
        if let Some(known) = kept.iter().find(is_of_scope) {
            return known.key;
        }
        if kept.len() == SIGNING_KEYS {
            kept.remove(0);
        }
        let key = fresh();
        kept.push(SigningKey { day, region: scope.region.into(), service: scope.service.into(), key });
        key
    }
}

/// A set of keys, by access key id.
#[derive(Default)]
pub struct Keys {
    by_id: HashMap<String, Arc<Key>>,
}

impl Keys {
    /// Reads the text of a credentials file.
    pub fn from_text(text: &str) -> Result<Keys, KeysError> {
        let mut keys = Keys::default();
        let mut entry: Option<EntryText> = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                if let Some(done) =
                    entry.replace(EntryText { name: name.0.trim().to_owned(), ..EntryText::default() })
                {
                    keys.add(done)?;
                }
                continue;
            }
            let Some((setting, value)) = line.split_once('=') else {
                return Err(KeysError::Line { line: index + 1 });
            };
            let (setting, value) = (setting.trim().to_lowercase(), value.trim().to_owned());
            let Some(entry) = &mut entry else {
                return Err(KeysError::NoName { line: index + 1, setting });
            };
            match setting.as_str() {
                "aws_access_key_id" => entry.access_key_id = Some(value),
                "aws_secret_access_key" => entry.secret_access_key = Some(value),
                "aws_account_id" => entry.account_id = Some(value),
                "aws_session_token" => entry.session_token = Some(value).filter(|token| !token.is_empty()),
                // Such files have other settings too, for the tools that share them.
                _ => {}
            }
        }
        if let Some(last) = entry {
            keys.add(last)?;
        }
        if keys.by_id.is_empty() { Err(KeysError::Empty) } else { Ok(keys) }
    }

    /// One key, such as the environment names.
    pub fn one(principal: &str, credentials: Credentials) -> Result<Keys, KeysError> {
        let mut keys = Keys::default();
        keys.add(EntryText {
            name: principal.to_owned(),
            access_key_id: Some(credentials.access_key_id),
            secret_access_key: Some(credentials.secret_access_key),
            session_token: credentials.session_token,
            account_id: None,
        })?;
        Ok(keys)
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    fn add(&mut self, entry: EntryText) -> Result<(), KeysError> {
        let EntryText { name, access_key_id, secret_access_key, session_token, account_id } = entry;
        let missing = |setting| KeysError::Missing { name: name.clone(), setting };
        let access_key_id = access_key_id.ok_or_else(|| missing("aws_access_key_id"))?;
        let secret_access_key = secret_access_key.ok_or_else(|| missing("aws_secret_access_key"))?;
        let is_id_char = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if access_key_id.is_empty() || access_key_id.len() > 128 || !access_key_id.bytes().all(is_id_char) {
            return Err(KeysError::KeyId { name });
        }
        if secret_access_key.chars().count() < SECRET_CHARS_MIN
            || secret_access_key.contains(char::is_whitespace)
        {
            return Err(KeysError::Secret { name });
        }
        if account_id.as_deref().is_some_and(|account_id| !is_account_id(account_id)) {
            return Err(KeysError::AccountId { name });
        }
        if self.by_id.len() >= KEYS_MAX {
            return Err(KeysError::TooMany);
        }
        match self.by_id.entry(access_key_id.clone()) {
            Entry::Occupied(_) => Err(KeysError::Twice { name }),
            Entry::Vacant(place) => {
                place.insert(Arc::new(Key {
                    access_key_id: access_key_id.as_str().into(),
                    principal: name.into(),
                    account_id: account_id.map(Into::into),
                    credentials: Credentials { access_key_id, secret_access_key, session_token },
                    signing: Mutex::default(),
                }));
                Ok(())
            }
        }
    }
}

/// An entry of a credentials file as far as it has been read.
#[derive(Default)]
struct EntryText {
    name: String,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    account_id: Option<String>,
}

/// Whether it is the id of an account.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The keys of a server, exchanged as a whole.
#[derive(Default)]
pub struct KeyRing {
    keys: RwLock<Arc<Keys>>,
}

impl KeyRing {
    pub fn new(keys: Keys) -> KeyRing {
        KeyRing { keys: RwLock::new(Arc::new(keys)) }
    }

    /// From now on these are the keys; what is not among them is no longer accepted.
    pub fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).count()
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).by_id.get(access_key_id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-of-some-length";

    #[test]
    fn texts() {
        let good = format!(
            "# keys\n[alice]\naws_access_key_id = AKIDALICE\naws_secret_access_key={SECRET}\nregion = eu-west-1\n\n[bob] ; on call\n \
             AWS_ACCESS_KEY_ID=AKIDBOB\naws_secret_access_key = {SECRET}=\naws_session_token = a/b+c==\n"
        );
        let keys = Keys::from_text(&good).unwrap_or_default();
        assert_eq!(keys.count(), 2);
        let bob = keys.by_id.get("AKIDBOB").expect("bob");
        assert_eq!((&*bob.principal, bob.session_token()), ("bob", Some("a/b+c==")));
        let entry = |name: &str, id: &str, secret: &str| {
            format!("[{name}]\naws_access_key_id={id}\naws_secret_access_key={secret}\n")
        };
        for (text, expected) in [
            (String::new(), "there is no key in it"),
            ("[a]\nnonsense".into(), "line 2: neither"),
            ("aws_access_key_id=x".into(), "line 1: aws_access_key_id stands before"),
            ("[a]\naws_access_key_id=x".into(), "[a] has no aws_secret_access_key"),
            ("[a]\naws_secret_access_key=x\n[b]".into(), "[a] has no aws_access_key_id"),
            (entry("a", "x/y", SECRET), "[a]: an access key id has"),
            (entry("a", "x", "test"), "[a]: a secret key has 16"),
            (entry("a", "x", "white space in the middle"), "[a]: a secret key has 16"),
            (entry("a", "x", SECRET) + "aws_account_id = 12", "[a]: an account id has 12 digits"),
            (
                entry("a", "x", SECRET) + &entry("b", "x", SECRET),
                "[b] has the access key id of another entry",
            ),
        ] {
            let error = Keys::from_text(&text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(!error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn signing_keys_are_those_of_their_scope() {
        let credentials =
            Credentials { access_key_id: "A".into(), secret_access_key: SECRET.into(), session_token: None };
        let ring = KeyRing::new(Keys::one("a", credentials).unwrap_or_default());
        let key = ring.find("A").expect("the key");
        for date in ["20260101", "20260101", "20260102", "20260101", "nonsense"] {
            for region in ["us-east-1", "r1", "r2", "r3", "r4", "r5", "us-east-1"] {
                for service in ["states", "lambda"] {
                    let scope = Scope { date, region, service };
                    assert_eq!(
                        key.signing_key(&scope),
                        scope.signing_key(SECRET),
                        "{date} {region} {service}"
                    );
                }
            }
        }
        ring.replace(Keys::default());
        assert!(ring.find("A").is_none());
    }
}
