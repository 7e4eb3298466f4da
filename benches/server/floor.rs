//! The floors: the least that must be done, by the plainest means.

use super::client;
use super::measure::Figures;
use bytes::Bytes;
use futures::TryStreamExt as _;
use http_body_util::{BodyExt as _, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Writes new files with this content and brings each to the disk, with so many threads.
pub fn write_and_sync(folder: &Path, data: &Bytes, threads: usize, time: Duration) -> Figures {
    std::fs::create_dir_all(folder).unwrap();
    let begun = Instant::now();
    let work = |thread: usize| {
        let mut took = Vec::new();
        while begun.elapsed() < time {
            let start = Instant::now();
            let path = folder.join(format!("{thread}-{}", took.len()));
            let mut file = std::fs::File::create_new(&path).unwrap();
            file.write_all(data).unwrap();
            file.sync_all().unwrap();
            took.push(start.elapsed());
            if data.len() > 1 << 20 {
                std::fs::remove_file(&path).unwrap();
            }
        }
        took
    };
    let took = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let figures = Figures::new(took, begun.elapsed());
    std::fs::remove_dir_all(folder).unwrap();
    figures
}

/// A hyper server that streams one file.
pub struct Hyper {
    url: String,
    http: reqwest::Client,
}

type Answer = hyper::Response<BoxBody<Bytes, std::io::Error>>;

impl Hyper {
    pub async fn serve(file: PathBuf) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let file = Arc::new(file);
        // A process of its own would be fairer still; a thread of its own keeps the client's threads out of it.
        std::thread::spawn(move || {
            let listener = listener.into_std().unwrap();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let file = Arc::clone(&file);
                    let service = hyper::service::service_fn(move |_| answer(Arc::clone(&file)));
                    let connection = hyper::server::conn::http1::Builder::new();
                    tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
                }
            });
        });
        Self { url, http: client::connections() }
    }

    pub async fn get(&self, size: usize) {
        client::read(self.http.get(&self.url).send().await.unwrap(), size).await;
    }
}

async fn answer(file: Arc<PathBuf>) -> Result<Answer, Infallible> {
    let file = tokio::fs::File::open(&*file).await.unwrap();
    let length = file.metadata().await.unwrap().len();
    let stream = tokio_util::io::ReaderStream::with_capacity(file, 256 * 1024).map_ok(Frame::data);
    let body = StreamBody::new(stream).boxed();
    Ok(hyper::Response::builder().header("content-length", length).body(body).unwrap())
}
