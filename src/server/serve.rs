//! Both listeners, from the opening of the data folder to a graceful end.

use super::first_start::{self, FirstStart, FirstStartError};
use super::http::{App, Peer, Settings, SetupError, router};
use super::store::{self, Store, StoreError};
use super::tls::{self, TlsError};
use crate::wire::ShownSecret;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

/// How often a silent HTTP/2 connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);
/// How often the last uses of keys are written down.
const KEY_USES: Duration = Duration::from_mins(1);
/// Most connections of one listener at a time; more wait to be accepted.
const CONNECTIONS: usize = 1000;
/// The pause after an accept that failed, as when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long callers are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A caller that is to shake hands.
    pub handshake: Duration,
    /// A connection without a request, the sending of its head included: longer than clients keep idle connections for
    /// (90 s is common), so that it is they who close them and no request meets a closed one.
    pub head: Duration,
    /// A client of S3 that sends nothing of a body that it has begun. The management API has
    /// [`Settings::body_time`] for the whole of a body.
    pub silence: Duration,
    /// Requests in flight after the signal to stop.
    pub grace: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            head: Duration::from_mins(2),
            silence: Duration::from_mins(1),
            grace: Duration::from_secs(30),
        }
    }
}

/// What the server is told.
pub struct ServeOptions {
    /// Folder of the database, the key file and the objects' data.
    pub data_dir: PathBuf,
    /// Address of the management API.
    pub listen: SocketAddr,
    /// Address of the S3 endpoint.
    pub s3_listen: SocketAddr,
    /// Certificate chain and key, PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether to serve without TLS on addresses other than loopback.
    pub insecure_listen: bool,
    /// File with the first administrator's password.
    pub admin_password_file: Option<PathBuf>,
    /// The management API's settings.
    pub settings: Settings,
    /// How long callers are waited for.
    pub patience: Patience,
}

/// Why the server does not start, or ends.
#[derive(Debug, Error)]
pub enum ServeError {
    /// No TLS where others can listen in.
    #[error("'{0}' is not a loopback address: give `--tls-cert` and `--tls-key`, or `--insecure-listen`")]
    Insecure(SocketAddr),
    /// The data folder.
    #[error("failed to open the data folder")]
    Store(#[from] StoreError),
    /// The first start.
    #[error("failed to prepare the empty database")]
    FirstStart(#[from] FirstStartError),
    /// The password file.
    #[error("failed to read '{0}'")]
    PasswordFile(PathBuf, #[source] std::io::Error),
    /// The management API.
    #[error("failed to set up the management API")]
    Setup(#[from] SetupError),
    /// Certificate or key.
    #[error("failed to set up TLS")]
    Tls(#[from] TlsError),
    /// An address is taken, or not ours.
    #[error("failed to listen on '{0}'")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// Serves until `stop` is done, then finishes what is in flight for as long as `patience` says. `announce` is called once in the life of
/// a data folder, at its first start.
pub async fn serve(
    options: ServeOptions,
    stop: impl Future<Output = ()>,
    announce: impl FnOnce(&FirstStart),
) -> Result<(), ServeError> {
    for address in [options.listen, options.s3_listen] {
        if options.tls.is_none() && !options.insecure_listen && !address.ip().is_loopback() {
            return Err(ServeError::Insecure(address));
        }
    }
    let tls = options.tls.as_ref().map(|(chain, key)| tls::acceptor(chain, key)).transpose()?;
    let store = Store::open(&options.data_dir)?;
    store::usage::recover_last_used(&store).await?;
    if first_start::is_due(&store).await? {
        let given = options.admin_password_file.as_ref().map(read_password).transpose()?;
        first_start::fill(&store, given, crate::clock::now(), announce).await?;
    }
    let management = bind(options.listen).await?;
    let data_plane = bind(options.s3_listen).await?;
    let app = App::new(store.clone(), options.settings.clone())?;
    let routes = router(&app);
    let patience = options.patience;
    let s3 = super::s3::service(store.clone(), &options.settings.region, patience.silence);
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(
        management = format!("{scheme}://{}", options.listen),
        s3 = format!("{scheme}://{}", options.s3_listen),
        "serving"
    );

    let stopping = CancellationToken::new();
    let graceful = Arc::new(GracefulShutdown::new());
    let with_peer = move |peer: IpAddr| {
        let routes = routes.clone();
        hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            routes.clone().oneshot(request.map(Body::new))
        })
    };
    let door = Door { tls, patience, graceful: Arc::clone(&graceful), stopping: stopping.clone() };
    let loops = [
        tokio::spawn(listen(management, door.clone(), with_peer)),
        tokio::spawn(listen(data_plane, door, move |_| s3.clone())),
        tokio::spawn(write_key_uses(store.clone(), stopping.clone())),
        tokio::spawn(super::s3::keep_house(store.clone(), stopping.clone())),
        tokio::spawn(app.runner().run(stopping.clone())),
    ];
    stop.await;
    tracing::info!("stopping");
    app.drain();
    stopping.cancel();
    for task in loops {
        // A listener that panicked has nothing left to stop.
        drop(task.await);
    }
    if let Some(graceful) = Arc::into_inner(graceful)
        && tokio::time::timeout(patience.grace, graceful.shutdown()).await.is_err()
    {
        tracing::warn!("requests were still in flight after {} s", patience.grace.as_secs());
    }
    store.write_key_uses().await?;
    Ok(())
}

fn read_password(file: &PathBuf) -> Result<ShownSecret, ServeError> {
    let failed = |error| ServeError::PasswordFile(file.clone(), error);
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(failed)?);
    Ok(ShownSecret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

async fn write_key_uses(store: Store, stopping: CancellationToken) {
    while stopping.run_until_cancelled(tokio::time::sleep(KEY_USES)).await.is_some() {
        if let Err(error) = store.write_key_uses().await {
            tracing::warn!(%error, "the last uses of keys were not written down");
        }
    }
}

/// What both listeners have in common.
#[derive(Clone)]
struct Door {
    tls: Option<TlsAcceptor>,
    patience: Patience,
    graceful: Arc<GracefulShutdown>,
    stopping: CancellationToken,
}

/// Accepts until told to stop. Each connection gets a service of its own.
async fn listen<S, B>(listener: TcpListener, door: Door, service: impl Fn(IpAddr) -> S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let next = async || {
        let slot = Arc::clone(&slots).acquire_owned().await;
        (listener.accept().await, slot)
    };
    while let Some((accepted, slot)) = door.stopping.run_until_cancelled(next()).await {
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Answers are small and awaited: they should not wait for more to come.
        drop(stream.set_nodelay(true));
        let watcher = door.graceful.watcher();
        let served = connection(stream, door.tls.clone(), service(peer.ip()), watcher, door.patience);
        tokio::spawn(async move {
            served.await;
            drop(slot);
        });
    }
}

async fn connection<S, B>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    service: S,
    watcher: Watcher,
    patience: Patience,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match tls {
        None => talk(stream, service, watcher, patience.head).await,
        Some(tls) => match tokio::time::timeout(patience.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => talk(stream, service, watcher, patience.head).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn talk<S, B>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: S,
    watcher: Watcher,
    head: Duration,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING);
    let asked = Arc::new(AtomicBool::new(false));
    let service = Noting { inner: service, asked: Arc::clone(&asked) };
    let serving = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = never_asked(&asked, head) => tracing::debug!("a connection came without a request"),
    }
}

/// Notes that a request came.
struct Noting<S> {
    inner: S,
    asked: Arc<AtomicBool>,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: Request<Incoming>) -> S::Future {
        self.asked.store(true, Ordering::Relaxed);
        self.inner.call(request)
    }
}

/// Done when no request has come by then: hyper waits for ever for the bytes that tell HTTP/1 from HTTP/2, and for the
/// first request of HTTP/2.
async fn never_asked(asked: &AtomicBool, by_then: Duration) {
    tokio::time::sleep(by_then).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "serve_slow_tests.rs"]
mod slow_tests;
