//! TLS: the server's certificate, given or generated, exchanged while the server runs.
//!
//! rustls with the provider `ring`; TLS 1.3 and 1.2; HTTP/1.1 only. Left out: client certificates (callers prove who they
//! are with signatures) and more than one certificate.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::file_stamp::FileStamp;

/// Certificates in a chain.
const CHAIN_MAX: usize = 16;

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{} cannot be read", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not a {what} in PEM form", .path.display())]
    Pem { path: PathBuf, what: &'static str },
    #[error("the private key {} does not belong to the certificate {}: {source}", .key.display(), .certificate.display())]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("a certificate cannot be made: {0}")]
    Generate(#[from] rcgen::Error),
    #[error("{} cannot be written", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// A server's TLS.
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

impl Tls {
    /// TLS with a certificate chain and its private key, both PEM.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let certificate = Arc::new(Certificate::open(certificate, key)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }

    /// TLS with a certificate of its own in `directory`, made there unless it is there already. Clients have to be told to
    /// trust it: it is `certificate.pem` in that directory.
    pub fn generated_in(directory: &Path, names: &[String]) -> Result<Tls, TlsError> {
        let (certificate, key) = (directory.join("certificate.pem"), directory.join("private-key.pem"));
        if !certificate.exists() || !key.exists() {
            generate(directory, &certificate, &key, names)?;
        }
        Tls::from_files(&certificate, &key)
    }

    /// SHA-256 of the certificate, as browsers and `openssl x509 -fingerprint -sha256` show it.
    pub fn fingerprint(&self) -> String {
        let current = self.certificate.current();
        let digest = current.cert.first().map(Sha256::digest).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// Where the certificate is.
    pub fn certificate_path(&self) -> &Path {
        &self.certificate.certificate_path
    }

    /// Reads certificate and key again if a file is not as it was. Whether they were exchanged; an error leaves them as they
    /// are.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        self.certificate.reload_if_changed()
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }
}

/// The certificate that is shown to clients, and where it came from.
#[derive(Debug)]
struct Certificate {
    certificate_path: PathBuf,
    key_path: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<[FileStamp; 2]>,
}

impl Certificate {
    fn open(certificate_path: &Path, key_path: &Path) -> Result<Certificate, TlsError> {
        let seen = [FileStamp::at(certificate_path), FileStamp::at(key_path)];
        let current = read(certificate_path, key_path)?;
        Ok(Certificate {
            certificate_path: certificate_path.to_owned(),
            key_path: key_path.to_owned(),
            current: RwLock::new(Arc::new(current)),
            seen: Mutex::new(seen),
        })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let now = [FileStamp::at(&self.certificate_path), FileStamp::at(&self.key_path)];
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Ok(false);
        }
        *seen = now;
        let fresh = read(&self.certificate_path, &self.key_path)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn read(certificate_path: &Path, key_path: &Path) -> Result<CertifiedKey, TlsError> {
    let bytes =
        |path: &Path| std::fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source });
    let not_pem = |path: &Path, what| TlsError::Pem { path: path.to_owned(), what };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes(certificate_path)?)
        .take(CHAIN_MAX)
        .collect::<Result<_, _>>()
        .map_err(|_| not_pem(certificate_path, "certificate"))?;
    if chain.is_empty() {
        return Err(not_pem(certificate_path, "certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_slice(&bytes(key_path)?).map_err(|_| not_pem(key_path, "private key"))?;
    let provider: CryptoProvider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(|source| TlsError::Pair {
        certificate: certificate_path.to_owned(),
        key: key_path.to_owned(),
        source,
    })
}

/// Makes a self-signed certificate for this machine's names and for those given.
fn generate(
    directory: &Path,
    certificate_path: &Path,
    key_path: &Path,
    names: &[String],
) -> Result<(), TlsError> {
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    for name in names {
        all.push(name.clone());
        if name.parse::<IpAddr>().is_err() {
            // What clients put in front of the host for StartSyncExecution and TestState.
            all.push(format!("sync-{name}"));
        }
    }
    all.sort();
    all.dedup();
    let mut parameters = CertificateParams::new(all)?;
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "Stepwright");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Write { path, source }
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
    write(key_path, &key.serialize_pem(), 0o600).map_err(failed(key_path))?;
    write(certificate_path, &certificate.pem(), 0o644).map_err(failed(certificate_path))
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}
