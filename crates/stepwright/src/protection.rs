//! Who may call the server, over which wire, and what is written down about it: the sections `[credentials]`, `[tls]`,
//! `[audit]` and `[metrics]`, their options on the command line, and their files while the server runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use stepwright_server::environment::System;
use stepwright_server::{Access, AuditFile, AuditLimits, KeyFile, KeyRing, Keys, Signatures, Tls};
use stepwright_sigv4::Credentials;

use crate::signals::Signals;

/// How often files are looked at. SIGHUP does not wait for it.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);

/// What the name of the audit log becomes for refused callers, and how much is kept of them.
const REFUSALS_SUFFIX: &str = ".refused";
const REFUSALS_BYTES_MAX: u64 = 16 << 20;
const REFUSALS_FILES: u32 = 2;

/// What the command line says.
#[derive(Debug, Default, Args)]
pub struct Flags {
    /// The keys that may call, in the form of an AWS credentials file (`[name]`, `aws_access_key_id`,
    /// `aws_secret_access_key`, `aws_session_token`), for its owner alone to read. With it every request has to be signed.
    /// The file is read again when it changes. One key can also come from STEPWRIGHT_ACCESS_KEY_ID and
    /// STEPWRIGHT_SECRET_ACCESS_KEY (and STEPWRIGHT_SESSION_TOKEN).
    #[arg(long, value_name = "FILE", env = "STEPWRIGHT_CREDENTIALS")]
    pub credentials: Option<PathBuf>,
    /// Serve HTTPS with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", env = "STEPWRIGHT_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", env = "STEPWRIGHT_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Serve HTTPS with a certificate that the server makes and keeps in the data directory. Clients have to trust it:
    /// AWS_CA_BUNDLE=DATA_DIR/tls/certificate.pem.
    #[arg(long, conflicts_with = "tls_certificate")]
    pub tls_generated: bool,
    /// Write a record of every call that changes something (who, what, when, outcome) into this file.
    #[arg(long, value_name = "FILE", env = "STEPWRIGHT_AUDIT")]
    pub audit: Option<PathBuf>,
}

/// `[credentials]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialsSection {
    file: Option<PathBuf>,
}

/// `[tls]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSection {
    certificate: Option<PathBuf>,
    private_key: Option<PathBuf>,
    generated: bool,
    /// Names and addresses for a generated certificate, besides this machine's.
    names: Vec<String>,
}

/// `[audit]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSection {
    file: Option<PathBuf>,
    file_bytes_max: Option<u64>,
    files_max: Option<u32>,
}

/// `[metrics]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsSection {
    open: bool,
}

/// What is configured.
#[derive(Debug, Default)]
pub struct Settings {
    credentials: Option<PathBuf>,
    tls: TlsSettings,
    audit: Option<(PathBuf, AuditLimits)>,
    pub metrics_are_open: bool,
}

#[derive(Debug, Default)]
enum TlsSettings {
    #[default]
    None,
    Given {
        certificate: PathBuf,
        private_key: PathBuf,
    },
    Generated {
        names: Vec<String>,
    },
}

impl Settings {
    /// The command line in front of the sections, whose paths begin in `directory`.
    pub fn new(
        flags: Flags,
        credentials: CredentialsSection,
        tls: TlsSection,
        audit: AuditSection,
        metrics: &MetricsSection,
        directory: &Path,
    ) -> Result<Settings> {
        let there = |path: PathBuf| directory.join(path);
        let tls = match (flags.tls_certificate, flags.tls_key) {
            (Some(certificate), Some(private_key)) => TlsSettings::Given { certificate, private_key },
            _ if flags.tls_generated => TlsSettings::Generated { names: tls.names },
            _ => match (tls.certificate, tls.private_key, tls.generated) {
                (Some(certificate), Some(private_key), false) => {
                    TlsSettings::Given { certificate: there(certificate), private_key: there(private_key) }
                }
                (None, None, true) => TlsSettings::Generated { names: tls.names },
                (None, None, false) => TlsSettings::None,
                _ => bail!("[tls] takes either `certificate` and `private_key`, or `generated = true`"),
            },
        };
        let defaults = AuditLimits::default();
        let limits = AuditLimits {
            file_bytes_max: audit.file_bytes_max.unwrap_or(defaults.file_bytes_max),
            files_max: audit.files_max.unwrap_or(defaults.files_max),
        };
        Ok(Settings {
            credentials: flags.credentials.or(credentials.file.map(there)),
            tls,
            audit: flags.audit.or(audit.file.map(there)).map(|path| (path, limits)),
            metrics_are_open: metrics.open,
        })
    }
}

impl Settings {
    /// The file with the keys that may call.
    pub fn credentials_file(&self) -> Option<&Path> {
        self.credentials.as_deref()
    }

    /// The certificate that the server shows, if it speaks TLS.
    pub fn certificate(&self, data_dir: &Path) -> Option<PathBuf> {
        match &self.tls {
            TlsSettings::None => None,
            TlsSettings::Given { certificate, .. } => Some(certificate.clone()),
            TlsSettings::Generated { .. } => Some(data_dir.join("tls/certificate.pem")),
        }
    }
}

/// The files, read.
pub struct Protection {
    pub access: Access,
    pub tls: Option<Arc<Tls>>,
    pub audit: Option<Arc<AuditFile>>,
    /// Where requests are noted that are refused before it is known who calls.
    pub refusals: Option<Arc<AuditFile>>,
    key_file: Option<Arc<KeyFile>>,
    /// How many keys may call.
    pub key_count: usize,
}

impl Protection {
    /// Reads credentials and certificates, and makes a certificate where one is to be generated.
    pub fn open(settings: &Settings, data_dir: &Path) -> Result<Protection> {
        let mut protection = Protection {
            access: Access::Open,
            tls: None,
            audit: None,
            refusals: None,
            key_file: None,
            key_count: 0,
        };
        let key_of_environment = key_of_environment()?;
        let ring = match (&settings.credentials, key_of_environment) {
            (Some(_), Some(_)) => {
                bail!(
                    "both a credentials file and STEPWRIGHT_ACCESS_KEY_ID are given; only one of them can say who may call"
                )
            }
            (Some(path), None) => {
                let file = Arc::new(KeyFile::open(path)?);
                let ring = file.ring();
                protection.key_file = Some(file);
                Some(ring)
            }
            (None, Some(keys)) => Some(Arc::new(KeyRing::new(keys))),
            (None, None) => None,
        };
        if let Some(ring) = ring {
            protection.key_count = ring.count();
            protection.access = Access::Verified(Arc::new(Signatures::new(ring, Arc::new(System))));
        }
        protection.tls = match &settings.tls {
            TlsSettings::None => None,
            TlsSettings::Given { certificate, private_key } => {
                Some(Arc::new(Tls::from_files(certificate, private_key)?))
            }
            TlsSettings::Generated { names } => {
                let mut names = names.clone();
                names.push(rustix::system::uname().nodename().to_string_lossy().into_owned());
                Some(Arc::new(Tls::generated_in(&data_dir.join("tls"), &names)?))
            }
        };
        if let Some((path, limits)) = &settings.audit {
            let open = |path: &Path, limits| {
                let file = AuditFile::open(path, limits);
                file.with_context(|| format!("the audit log {} cannot be opened", path.display()))
            };
            protection.audit = Some(Arc::new(open(path, *limits)?));
            let mut refusals = path.clone().into_os_string();
            refusals.push(REFUSALS_SUFFIX);
            let limits = AuditLimits {
                file_bytes_max: limits.file_bytes_max.min(REFUSALS_BYTES_MAX),
                files_max: REFUSALS_FILES,
            };
            protection.refusals = Some(Arc::new(open(Path::new(&refusals), limits)?));
        }
        Ok(protection)
    }

    /// Follows changes of the files, for as long as the runtime lives. SIGHUP has them looked at at once.
    pub fn follow(&self, signals: Signals) {
        let (keys, tls) = (self.key_file.clone(), self.tls.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(RELOAD_INTERVAL) => {}
                    () = signals.hung_up() => tracing::info!(
                        "SIGHUP: keys and certificates are looked at; the rest of the configuration is read at the next start"
                    ),
                }
                let (keys, tls) = (keys.clone(), tls.clone());
                let looked =
                    tokio::task::spawn_blocking(move || reload(keys.as_deref(), tls.as_deref())).await;
                if looked.is_err() {
                    return;
                }
            }
        });
    }
}

fn reload(keys: Option<&KeyFile>, tls: Option<&Tls>) {
    match keys.map(KeyFile::reload_if_changed) {
        Some(Ok(Some(keys))) => tracing::info!(keys, "the credentials have been read again"),
        Some(Err(error)) => {
            tracing::error!("the credentials stay as they were: {:#}", anyhow::Error::new(error));
        }
        Some(Ok(None)) | None => {}
    }
    match tls.map(|tls| (tls, tls.reload_if_changed())) {
        Some((tls, Ok(true))) => {
            tracing::info!(fingerprint = tls.fingerprint(), "the certificate has been read again");
        }
        Some((_, Err(error))) => {
            tracing::error!("the certificate stays as it was: {:#}", anyhow::Error::new(error));
        }
        Some((_, Ok(false))) | None => {}
    }
}

fn key_of_environment() -> Result<Option<Keys>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(access_key_id) = variable("STEPWRIGHT_ACCESS_KEY_ID") else { return Ok(None) };
    let Some(secret_access_key) = variable("STEPWRIGHT_SECRET_ACCESS_KEY") else {
        bail!("STEPWRIGHT_ACCESS_KEY_ID is set, but STEPWRIGHT_SECRET_ACCESS_KEY is not");
    };
    let credentials =
        Credentials { access_key_id, secret_access_key, session_token: variable("STEPWRIGHT_SESSION_TOKEN") };
    let keys = Keys::one("environment", credentials).context("the key of the environment cannot be used")?;
    Ok(Some(keys))
}
