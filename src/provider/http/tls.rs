//! Which certificates are trusted.

use super::BuildError;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// TLS 1.2 and 1.3, trusting the certificates of the bundle and no other; without one, the system's.
pub fn config(ca_pem: Option<&[u8]>) -> Result<ClientConfig, BuildError> {
    let roots = match ca_pem {
        Some(pem) => bundle(pem)?,
        None => system()?,
    };
    with_roots(roots)
}

/// A configuration that trusts nobody, for endpoints without TLS.
pub fn nobody() -> Result<ClientConfig, BuildError> {
    with_roots(RootCertStore::empty())
}

fn bundle(pem: &[u8]) -> Result<RootCertStore, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| BuildError::CaBundle)?;
        roots.add(certificate).map_err(|_| BuildError::CaBundle)?;
    }
    if roots.is_empty() { Err(BuildError::CaBundle) } else { Ok(roots) }
}

fn system() -> Result<RootCertStore, BuildError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(BuildError::SystemRoots) } else { Ok(roots) }
}

fn with_roots(roots: RootCertStore) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // The versions are the provider's own, so this cannot fail; were it to, no connection could be trusted.
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| BuildError::SystemRoots)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
