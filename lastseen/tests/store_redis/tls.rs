//! TLS as the URL asks for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lastseen::store::{RedisError, RedisStore};
use lastseen_harness::Redis;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority that signs certificates, and its own in a file.
fn authority(directory: &Path, name: &str) -> (CertifiedIssuer<'static, KeyPair>, PathBuf) {
    let mut params = CertificateParams::new(vec![name.into()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let path = directory.join(name);
    std::fs::write(&path, authority.pem()).unwrap();
    (authority, path)
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, our_file) = authority(directory.path(), "ours");
    let (_, other_file) = authority(directory.path(), "others");
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &ours).unwrap();
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let certificate = file("certificate", certificate.pem());
    let key = file("key", key.serialize_pem());
    // Of its two ports one is for TLS alone.
    let server = Redis::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let settings = ["CONFIG", "SET", "tls-cert-file", &certificate, "tls-key-file", &key];
    let ca = our_file.display().to_string();
    server
        .cli(
            &[&settings[..], &["tls-ca-cert-file", &ca, "tls-auth-clients", "no", "tls-port", &port.to_string()]]
                .concat(),
        )
        .await;

    let connect = async |host: &str, roots: &Path| -> Result<(), RedisError> {
        let url = format!("rediss://{host}:{port}?cacert={}", roots.display());
        RedisStore::connect(&url).await?.ready().await
    };
    connect("localhost", &our_file).await.unwrap();
    refused(&connect("localhost", &other_file).await.unwrap_err());
    refused(&connect("127.0.0.1", &our_file).await.unwrap_err());
    // Each of the two ports, spoken to as if it were the other.
    let plainly = RedisStore::connect(&format!("redis://localhost:{port}")).await.unwrap();
    let error = plainly.ready().await.unwrap_err();
    assert!(error.to_string().contains("a port is for TLS: for that, write rediss"), "{error}");
    // What a server without TLS makes of its first message depends on the random bytes in it.
    let url = format!("rediss://localhost:{}?cacert={ca}", server.port());
    let error = match RedisStore::builder(&url).connect_timeout(Duration::from_secs(1)).connect().await {
        Ok(store) => store.ready().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.to_string().contains("no TLS") && error.to_string().contains("write redis instead"), "{error}");
    // Nobody's machine trusts an authority that is a second old.
    refused(&RedisStore::connect(&format!("rediss://localhost:{port}")).await.unwrap_err());
}

#[track_caller]
fn refused(error: &RedisError) {
    assert!(!error.is_unavailable(), "trying again can't help: {error:?}");
    assert!(error.to_string().contains("has no certificate that is trusted for it"), "{error}");
}
