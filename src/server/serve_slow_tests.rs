//! Callers who dawdle: each is let go after a time, on both listeners.

use super::tests::{Running, certificates, options, start};
use super::{Patience, ServeOptions};
use crate::server::http::Settings;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_hours(1);
/// Nothing but what a test is about ends within it.
const EVER: Patience = Patience { handshake: LONG, head: LONG, silence: LONG, grace: LONG };

fn patient(folder: &Path, patience: Patience, body_time: Duration) -> ServeOptions {
    let plain = options(folder);
    ServeOptions { patience, settings: Settings { body_time, ..plain.settings.clone() }, ..plain }
}

/// What comes for these bytes until the server closes the connection, which it does when `SHORT` is over and not before.
async fn closed_in_time(address: SocketAddr, bytes: &[u8]) -> String {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut text = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut text)).await;
    // A reset is an end, too.
    drop(reading.expect("the server must close the connection"));
    assert!(begin.elapsed() >= SHORT, "closed after {:?}", begin.elapsed());
    String::from_utf8_lossy(&text).into_owned()
}

async fn stop(running: Running) {
    running.stop.send(()).unwrap();
    running.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_without_a_handshake_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key, _) = certificates(folder.path());
    let patience = Patience { handshake: SHORT, ..EVER };
    let options = ServeOptions { tls: Some((chain, key)), ..patient(folder.path(), patience, LONG) };
    let running = start(folder, options).await;
    for address in [running.management, running.s3] {
        for bytes in [&b""[..], b"\x16\x03\x01"] {
            assert_eq!(closed_in_time(address, bytes).await, "");
        }
    }
    stop(running).await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let options = patient(folder.path(), Patience { head: SHORT, ..EVER }, LONG);
    let running = start(folder, options).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for address in [running.management, running.s3] {
        for bytes in [&b""[..], b"G", b"PRI * HT", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", preface] {
            closed_in_time(address, bytes).await;
        }
        // One that has had an answer, and asks nothing more.
        let said = closed_in_time(address, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 "), "{said}");
    }
    stop(running).await;
}

#[tokio::test]
async fn a_request_without_its_body_is_refused_and_its_connection_closed() {
    let folder = tempfile::tempdir().unwrap();
    let running = start_with_short_bodies(folder).await;
    let head = "content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let said = closed_in_time(running.management, post("/v1/sessions", head).as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("did not arrive in full"), "{said}");
    // The form is read before its signature can be known.
    let form = "content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n--b\r\n";
    let said = closed_in_time(running.s3, post("/data", form).as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");
    stop(running).await;
}

async fn start_with_short_bodies(folder: tempfile::TempDir) -> Running {
    let options = patient(folder.path(), Patience { silence: SHORT, ..EVER }, SHORT);
    start(folder, options).await
}

fn post(path: &str, rest: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{rest}")
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_server_from_ending() {
    let folder = tempfile::tempdir().unwrap();
    let options = patient(folder.path(), Patience { grace: SHORT, ..EVER }, LONG);
    let running = start(folder, options).await;
    let mut waiting = Vec::new();
    for (address, path, kind) in [
        (running.management, "/v1/sessions", "application/json"),
        (running.s3, "/data", "multipart/form-data; boundary=b"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("content-type: {kind}\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n");
        stream.write_all(post(path, &head).as_bytes()).await.unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        assert!(go_on.starts_with(b"HTTP/1.1 100"), "the handler is waiting for the body");
        waiting.push(stream);
    }
    running.stop.send(()).unwrap();
    let begin = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(20), running.ended).await;
    ended.expect("the server must end").unwrap().unwrap();
    assert!(begin.elapsed() >= SHORT, "it waited for them for as long as it was told to");
}
