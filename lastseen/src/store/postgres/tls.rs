//! TLS as the URL's `sslmode` and `sslrootcert` ask for it, with libpq's meanings.

use std::error::Error as StdError;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::roots::trusted;

/// How far a connection is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// In the clear.
    Disable,
    /// Encrypted where the server offers it.
    Prefer,
    /// Encrypted, whoever the server is.
    Require,
    /// Encrypted, by a server whose certificate is trusted, whatever its name.
    VerifyCa,
    /// Encrypted, by a server whose certificate is trusted for the URL's host.
    VerifyFull,
}

impl Security {
    /// By the URL's parameters. Who names trusted certificates and no mode wants them checked.
    pub(super) fn from_url(mode: Option<&str>, roots: Option<&str>) -> Result<Self, String> {
        Ok(match (mode, roots) {
            (Some("disable"), _) => Self::Disable,
            (Some("prefer"), _) | (None, None) => Self::Prefer,
            (Some("require"), None) => Self::Require,
            (Some("require" | "verify-ca"), _) => Self::VerifyCa,
            (Some("verify-full"), _) | (None, Some(_)) => Self::VerifyFull,
            (Some(mode), _) => {
                return Err(format!(
                    "has sslmode {mode:?}: it must be disable, prefer, require, verify-ca or verify-full"
                ));
            }
        })
    }
}

/// What makes connections so; `roots` is a PEM file of trusted certificates, and without it, or where it is `system`,
/// this machine's are taken.
pub(super) fn connector(
    security: Security,
    roots: Option<&str>,
) -> Result<MakeRustlsConnect, Box<dyn StdError + Send + Sync>> {
    let provider = Arc::new(ring::default_provider());
    let strict = match security {
        Security::Disable | Security::Prefer | Security::Require => None,
        Security::VerifyCa | Security::VerifyFull => {
            let roots = trusted(roots.filter(|roots| *roots != "system"))?;
            Some(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?)
        }
    };
    let verifier = Verifier { strict, any_name: security != Security::VerifyFull, provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Checks as much of the server's certificate as was asked for.
#[derive(Debug)]
struct Verifier {
    /// `None` where any certificate will do.
    strict: Option<Arc<WebPkiServerVerifier>>,
    any_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(strict) = &self.strict else { return Ok(ServerCertVerified::assertion()) };
        // The name is looked at once everything else has been found right.
        match strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
