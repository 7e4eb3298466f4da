//! The listeners over real sockets: TLS, refusals to start, the graceful end.

use super::{Patience, ServeError, ServeOptions, serve};
use crate::server::http::{BODY_TIME, Settings};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(super) fn options(folder: &Path) -> ServeOptions {
    ServeOptions {
        data_dir: folder.join("data"),
        listen: free_address(),
        s3_listen: free_address(),
        tls: None,
        insecure_listen: false,
        admin_password_file: None,
        settings: Settings {
            region: "storekeeper".to_owned(),
            idempotency_keys: false,
            rate_limit: 0,
            tls: false,
            body_time: BODY_TIME,
        },
        patience: Patience::default(),
    }
}

pub(super) struct Running {
    _folder: TempDir,
    pub(super) management: SocketAddr,
    pub(super) s3: SocketAddr,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) ended: JoinHandle<Result<(), ServeError>>,
}

pub(super) async fn start(folder: TempDir, options: ServeOptions) -> Running {
    let (management, s3) = (options.listen, options.s3_listen);
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move { serve(options, async { drop(stopped.await) }, |_| {}).await });
    while TcpStream::connect(management).await.is_err() {
        assert!(!ended.is_finished(), "{:?}", ended.await);
        tokio::task::yield_now().await;
    }
    Running { _folder: folder, management, s3, stop, ended }
}

async fn ask(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    // A peer that closes without a TLS farewell has still said all of it.
    drop(stream.read_to_end(&mut text).await);
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn both_listeners_answer_until_the_server_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let running = start(folder, options).await;
    let mut stream = TcpStream::connect(running.management).await.unwrap();
    assert!(ask(&mut stream, "/readyz").await.starts_with("HTTP/1.1 200"));
    let mut stream = TcpStream::connect(running.s3).await.unwrap();
    assert!(ask(&mut stream, "/").await.starts_with("HTTP/1.1 403"), "anonymous requests to S3 are refused");
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(running.management).await.is_err());
    assert!(TcpStream::connect(running.s3).await.is_err());
}

#[tokio::test]
async fn a_request_in_flight_is_finished_after_the_signal_and_a_new_one_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let running = start(folder, options).await;
    let body = r#"{"login":"administrator","password":"wrong"}"#;
    let head = format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(running.management).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "the handler is waiting for the body");

    running.stop.send(()).unwrap();
    while TcpStream::connect(running.management).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut ended = running.ended;
    let early = tokio::time::timeout(Duration::from_millis(300), &mut ended).await;
    assert!(early.is_err(), "the server ended while a request was in flight");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
    ended.await.unwrap().unwrap();
}

pub(super) fn certificates(folder: &Path) -> (PathBuf, PathBuf, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (chain, key, roots)
}

#[tokio::test]
async fn with_a_certificate_both_listeners_speak_tls_and_offer_http2() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key, roots) = certificates(folder.path());
    let options = ServeOptions { tls: Some((chain, key)), ..options(folder.path()) };
    let running = start(folder, options).await;
    for (address, path, status) in [(running.management, "/healthz", "200"), (running.s3, "/", "403")] {
        for (protocol, text) in [("http/1.1", true), ("h2", false)] {
            let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            let stream = TcpStream::connect(address).await.unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
            if text {
                assert!(ask(&mut stream, path).await.starts_with(&format!("HTTP/1.1 {status}")));
            }
        }
    }
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn without_tls_only_loopback_is_served_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    for (management, s3) in
        [("0.0.0.0:0", "127.0.0.1:0"), ("127.0.0.1:0", "[::]:0"), ("192.0.2.1:0", "127.0.0.1:0")]
    {
        let open = ServeOptions {
            listen: management.parse().unwrap(),
            s3_listen: s3.parse().unwrap(),
            ..options(folder.path())
        };
        let refused = serve(open, std::future::pending(), |_| {}).await;
        assert!(matches!(refused, Err(ServeError::Insecure(_))), "{refused:?}");
        assert!(!folder.path().join("data").exists(), "nothing must be made before the refusal");
    }
}

#[tokio::test]
async fn what_keeps_the_server_from_starting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = ServeOptions { listen: taken.local_addr().unwrap(), ..options(folder.path()) };
    let refused = serve(busy, std::future::pending(), |_| {}).await;
    assert!(matches!(refused, Err(ServeError::Listen(..))), "{refused:?}");

    let missing = folder.path().join("missing");
    let tls = ServeOptions { tls: Some((missing.clone(), missing.clone())), ..options(folder.path()) };
    let refused = serve(tls, std::future::pending(), |_| {}).await;
    assert!(matches!(refused, Err(ServeError::Tls(_))), "{refused:?}");

    let other = tempfile::tempdir().unwrap();
    let no_password = ServeOptions { admin_password_file: Some(missing), ..options(other.path()) };
    let refused = serve(no_password, std::future::pending(), |_| {}).await;
    assert!(matches!(refused, Err(ServeError::PasswordFile(..))), "{refused:?}");
}

#[tokio::test]
async fn a_short_password_is_refused_and_leaves_the_database_empty() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "short\n").unwrap();
    let with =
        |file: &Path| ServeOptions { admin_password_file: Some(file.to_owned()), ..options(folder.path()) };
    let refused = serve(with(&file), std::future::pending(), |_| {}).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, ServeError::FirstStart(_)), "{error:?}");
    std::fs::write(&file, "long enough\n").unwrap();
    let mut announced = 0;
    serve(with(&file), std::future::ready(()), |first| {
        announced += 1;
        assert!(first.generated_password.is_none());
    })
    .await
    .unwrap();
    serve(with(&file), std::future::ready(()), |_| announced += 1).await.unwrap();
    assert_eq!(announced, 1, "the first start is announced once");
}
