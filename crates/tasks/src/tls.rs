//! TLS towards others: whom we trust.
//!
//! The roots are those of this machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured), or, as with AWS's tools, those of
//! the file that `AWS_CA_BUNDLE` names instead. Left out: client certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Why nobody can be trusted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of roots.
    #[error("the certificates of {} (AWS_CA_BUNDLE) cannot be read: {reason}", .path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A machine without certificates.
    #[error(
        "this machine has no certificates that say whom to trust: install its ca-certificates, or name a file with AWS_CA_BUNDLE"
    )]
    NoRoots,
    /// rustls does not like the configuration.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// A client's TLS that trusts the certificates in `roots` (PEM), or else those that this machine trusts.
pub fn client_config(roots: Option<&Path>) -> Result<ClientConfig, TrustError> {
    let roots = match roots {
        Some(path) => from_file(path)?,
        None => of_this_machine()?,
    };
    trusting(roots)
}

/// Connects over HTTP and HTTPS, or where `is_https` is not set over HTTP only. `roots` as for [`client_config`].
pub(crate) fn connector(
    mut http: HttpConnector,
    is_https: bool,
    roots: Option<&Path>,
) -> Result<HttpsConnector<HttpConnector>, TrustError> {
    // Reading the machine's certificates takes its time.
    let config = if is_https { client_config(roots)? } else { trusting(RootCertStore::empty())? };
    http.enforce_http(false);
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TrustError::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn from_file(path: &Path) -> Result<RootCertStore, TrustError> {
    let failed = |reason: String| TrustError::File { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() { Err(failed("there is none in it".to_owned())) } else { Ok(roots) }
}

fn of_this_machine() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    // Some of a machine's certificates are always too odd to be used.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TrustError::NoRoots) } else { Ok(roots) }
}
