//! A server on loopback that reads requests and answers them from a list.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What happens to a request once all of it has arrived.
#[derive(Clone)]
pub enum Answer {
    /// These bytes, and the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, and the connection is closed.
    BytesThenClose(Vec<u8>),
    /// Nothing, and the connection stays open.
    Silence,
}

impl Answer {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, "application/json", "", &body.to_string())
    }

    pub fn problem(status: u16, slug: &str, headers: &str) -> Self {
        let body = serde_json::json!({ "type": slug, "title": slug, "status": status, "detail": "because" });
        Self::text(status, "application/problem+json", headers, &body.to_string())
    }

    pub fn text(status: u16, content_type: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n");
        Self::Bytes(format!("{head}{headers}\r\n{body}").into_bytes())
    }

    /// The first half of this answer, then the end of the connection.
    pub fn cut_in_half(self) -> Self {
        let (Self::Bytes(bytes) | Self::BytesThenClose(bytes)) = self else { return Self::closed() };
        Self::BytesThenClose(bytes[..bytes.len() - 20].to_vec())
    }

    /// No answer but the end of the connection.
    pub fn closed() -> Self {
        Self::BytesThenClose(Vec::new())
    }
}

/// What has reached the server.
#[derive(Default)]
struct Record {
    connections: usize,
    requests: Vec<String>,
}

/// Stops when it is dropped. The last answer is given again and again.
pub struct Scripted {
    pub port: u16,
    record: Arc<Mutex<Record>>,
    _tasks: JoinSet<()>,
}

impl Scripted {
    pub async fn plain(answers: Vec<Answer>) -> Self {
        Self::start(answers, None).await
    }

    pub async fn start(answers: Vec<Answer>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let record = Arc::new(Mutex::new(Record::default()));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let record = Arc::clone(&record);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    record.lock().unwrap().connections += 1;
                    let (record, answers, tls) = (Arc::clone(&record), Arc::clone(&answers), tls.clone());
                    connections.spawn(async move {
                        match tls {
                            None => serve(stream, &record, &answers).await,
                            Some(tls) => {
                                if let Ok(stream) = tls.accept(stream).await {
                                    serve(stream, &record, &answers).await;
                                }
                            }
                        }
                    });
                }
            }
        });
        Self { port, record, _tasks: tasks }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.record.lock().unwrap().connections
    }

    /// The requests so far, heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.record.lock().unwrap().requests.clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    record: &Mutex<Record>,
    answers: &Mutex<VecDeque<Answer>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        record.lock().unwrap().requests.push(request);
        let answer = {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
        };
        let (bytes, close) = match answer.unwrap() {
            Answer::Bytes(bytes) => (bytes, false),
            Answer::BytesThenClose(bytes) => (bytes, true),
            Answer::Silence => std::future::pending().await,
        };
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() || close {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
