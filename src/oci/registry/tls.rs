//! TLS for client and server: certificates in PEM files, and one provider of cryptography.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::RegistryError;

/// Most bytes of a PEM file.
const PEM_BYTES_MAX: u64 = 4 << 20;

/// Returns the cryptography of every connection.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Reads all certificates in a PEM file, at least one.
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
