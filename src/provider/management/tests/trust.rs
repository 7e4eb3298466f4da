//! Whose certificates are trusted.

use super::scripted::{Answer, Scripted};
use super::{TOKEN, client, key_wish, made_json};
use crate::provider::http::BuildError;
use crate::provider::management::{Client, Settings};
use crate::provider::{ErrorKind, Provider};
use crate::wire::ShownSecret;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

const TIMEOUT: Duration = Duration::from_secs(10);

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server with a certificate for that host name; whoever gets through is given a key.
async fn server(authority: &CertifiedIssuer<'static, KeyPair>, host: &str) -> Scripted {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Scripted::start(vec![Answer::json(201, &made_json("00ff"))], Some(acceptor)).await
}

/// What a client that trusts `ca_pem` makes of the server; `None`: it got its key.
async fn fails(server: &Scripted, ca_pem: &str) -> Option<ErrorKind> {
    let client = client(&format!("https://127.0.0.1:{}", server.port), Some(ca_pem), TIMEOUT);
    client.mint_key(&key_wish(), None).await.err().map(|error| error.kind)
}

fn build_error(endpoint: &str, token: &str, ca_pem: Option<&str>) -> BuildError {
    Client::new(Settings {
        endpoint: endpoint.to_owned(),
        token: ShownSecret::new(token.to_owned()),
        ca_pem: ca_pem.map(|pem| pem.as_bytes().to_vec()),
        account_id: None,
        timeout: TIMEOUT,
    })
    .err()
    .unwrap()
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_bundle_has_it() {
    let authority = authority();
    let server = server(&authority, "127.0.0.1").await;
    assert!(fails(&server, &authority.pem()).await.is_none());
}

#[tokio::test]
async fn another_authority_is_not_trusted_and_nothing_is_sent_to_its_server() {
    let server = server(&authority(), "127.0.0.1").await;
    let kind = fails(&server, &authority().pem()).await.unwrap();
    let text = "the server's certificate was not issued by a trusted authority";
    assert!(matches!(&kind, ErrorKind::Untrusted(why) if why == text), "{kind}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let authority = authority();
    let server = server(&authority, "127.0.0.2").await;
    let kind = fails(&server, &authority.pem()).await.unwrap();
    let text = "the server's certificate is for another host name";
    assert!(matches!(&kind, ErrorKind::Untrusted(why) if why == text), "{kind}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_trusted_and_sees_no_token() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut seen).await;
        String::from_utf8_lossy(&seen).into_owned()
    });
    let client = client(&endpoint, Some(&authority().pem()), TIMEOUT);
    let error = client.mint_key(&key_wish(), None).await.err().unwrap();
    let text = "the other side does not speak TLS";
    assert!(matches!(&error.kind, ErrorKind::Untrusted(why) if why == text), "{error}");
    assert!(!server.await.unwrap().contains(TOKEN));
}

#[test]
fn settings_that_cannot_work_are_refused_at_once() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no certificate", broken] {
        let error = build_error("https://127.0.0.1:1", TOKEN, Some(pem));
        assert!(matches!(error, BuildError::CaBundle), "{pem}: {error}");
    }
    for endpoint in ["", "127.0.0.1:1", "ftp://127.0.0.1"] {
        assert!(matches!(build_error(endpoint, TOKEN, None), BuildError::Endpoint(_)), "{endpoint}");
    }
    for token in ["", "two words", "line\n", "t\u{e4}"] {
        assert!(matches!(build_error("http://127.0.0.1:1", token, None), BuildError::Credentials), "{token}");
    }
}
