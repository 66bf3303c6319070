//! TLS for both sides: certificates in PEM files, the machine's roots, one provider of cryptography.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::RegistryError;

/// Most bytes of a PEM file.
const PEM_BYTES_MAX: u64 = 4 << 20;

/// The cryptography of every connection.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// All certificates in a PEM file; at least one.
///
/// # Errors
/// [`RegistryError::Io`] and [`RegistryError::Corrupt`].
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, RegistryError> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let shown = path.display().to_string();
    let found = found.map_err(|error| RegistryError::corrupt(shown.clone(), error.to_string()))?;
    if found.is_empty() {
        return Err(RegistryError::corrupt(shown, "no certificate in PEM form"));
    }
    Ok(found)
}

/// Reads a small file of certificates or keys.
pub fn read(path: &Path) -> Result<Vec<u8>, RegistryError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(PEM_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(RegistryError::io(path))?;
    Ok(bytes)
}

/// The machine's root certificates, and those of a file.
///
/// # Errors
/// As [`certificates`]; that the machine has none is no error.
pub fn roots(extra: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, RegistryError> {
    let mut roots = rustls_native_certs::load_native_certs().certs;
    if let Some(path) = extra {
        roots.extend(certificates(path)?);
    }
    Ok(roots)
}
