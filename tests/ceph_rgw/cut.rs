//! A connection that breaks at a chosen request: before the gateway gets it, or before its answer is passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Where the connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The request is lost.
    Before,
    /// The request is executed and the answer is lost.
    After,
}

impl Cut {
    pub const ALL: [Self; 2] = [Self::Before, Self::After];
}

/// Passes requests on, but from the chosen one on none. Stops when it is dropped.
pub struct Cutter {
    pub endpoint: String,
    _tasks: JoinSet<()>,
}

impl Cutter {
    pub async fn start(gateway: &str, cut: Cut, request: usize) -> Self {
        let gateway = gateway.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let passed = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&gateway).await.unwrap();
                connections.spawn(pass(client, server, cut, request, Arc::clone(&passed)));
            }
        });
        Self { endpoint, _tasks: tasks }
    }
}

/// One connection; its requests follow each other, and each fits a read.
async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    cut: Cut,
    request: usize,
    passed: Arc<AtomicUsize>,
) {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut lose_answer = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                let chunk = &up[..length];
                if chunk.windows(11).any(|part| part == b" HTTP/1.1\r\n") {
                    let number = passed.fetch_add(1, Ordering::SeqCst);
                    if number >= request && cut == Cut::Before {
                        return;
                    }
                    lose_answer = number >= request;
                }
                if server.write_all(chunk).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                if lose_answer || client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
