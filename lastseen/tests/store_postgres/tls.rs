//! TLS as `sslmode` and `sslrootcert` ask for it.

use std::error::Error;
use std::path::{Path, PathBuf};

use lastseen::store::{PostgresError, PostgresStore};
use lastseen_harness::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority that signs certificates.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![name.into()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server with a certificate for `name` by this authority, which takes connections with TLS alone, but for the tests' own
/// over the socket.
async fn server(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Postgres {
    let server = Postgres::start().await;
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.into()]).unwrap().signed_by(&key, authority).unwrap();
    let certificate = server.file("server.crt", &certificate.pem());
    let key = server.file("server.key", &key.serialize_pem());
    assert!(certificate.exists() && key.exists());
    server.sql("postgres", "ALTER SYSTEM SET ssl = on").await;
    server.pg_hba(&["hostssl all all 127.0.0.1/32 trust"]).await;
    server
}

fn pem(directory: &Path, name: &str, authority: &CertifiedIssuer<'static, KeyPair>) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, authority.pem()).unwrap();
    path
}

async fn connect(server: &Postgres, host: &str, parameters: &str) -> Result<(), PostgresError> {
    let url = server.url("postgres").replace("127.0.0.1", host);
    PostgresStore::connect(&format!("{url}?hostaddr=127.0.0.1&{parameters}")).await?.ready().await
}

#[tokio::test]
async fn a_certificate_is_checked_as_far_as_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, others) = (authority("ours"), authority("others"));
    let our_file = pem(directory.path(), "ours.pem", &ours);
    let other_file = pem(directory.path(), "others.pem", &others);
    let server = server(&ours, "db.example").await;
    let (ours, others) =
        (format!("sslrootcert={}", our_file.display()), format!("sslrootcert={}", other_file.display()));

    for parameters in ["", "sslmode=prefer", "sslmode=require", &format!("sslmode=prefer&{others}")] {
        connect(&server, "db.example", parameters).await.unwrap_or_else(|error| panic!("{parameters}: {error:?}"));
    }
    let encrypted =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE backend_type = 'client backend'";
    assert_eq!(server.sql("postgres", encrypted).await, "t");
    for mode in ["sslmode=require&", "sslmode=verify-ca&", "sslmode=verify-full&", ""] {
        connect(&server, "db.example", &format!("{mode}{ours}"))
            .await
            .unwrap_or_else(|error| panic!("{mode}: {error:?}"));
        let error = connect(&server, "db.example", &format!("{mode}{others}")).await.expect_err(mode);
        refused(&error);
    }
    connect(&server, "another.example", &format!("sslmode=verify-ca&{ours}")).await.unwrap();
    refused(&connect(&server, "another.example", &format!("sslmode=verify-full&{ours}")).await.unwrap_err());
    // Nobody's machine trusts an authority that is a second old.
    refused(&connect(&server, "db.example", "sslmode=verify-full").await.unwrap_err());

    let error = connect(&server, "db.example", "sslmode=disable").await.unwrap_err();
    assert!(error.is_denied() && error.sqlstate() == Some("28000"), "{error:?}");
}

#[track_caller]
fn refused(error: &PostgresError) {
    assert!(!error.is_unavailable(), "trying again can't help: {error:?}");
    assert!(error.to_string().contains("has no certificate that is trusted for it"), "{error}");
    assert!(error.source().unwrap().to_string().contains("TLS"), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_was_asked_for() {
    let server = Postgres::start().await;
    let error = connect(&server, "localhost", "sslmode=require").await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    assert!(error.to_string().contains("unless the URL says sslmode=prefer"), "{error}");
    assert!(error.source().unwrap().to_string().contains("TLS"), "{error:?}");
    connect(&server, "localhost", "sslmode=prefer").await.unwrap();
}
