//! The S3 service as hyper sees it: around s3s, what HTTP needs and S3 does not say.
//!
//! A request that is refused before its body was read would leave the body on the connection. A small one is read and
//! thrown away, so that the client, which may still be sending, gets to read the answer; otherwise the connection is
//! closed after the answer, and the answer says so.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, Version, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::service::S3Service;
use s3s::{HttpError, HttpResponse};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// Most bytes that are read only to be thrown away, and how long that may take.
const DRAIN_BYTES: u64 = 1 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// The S3 endpoint: a hyper service. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint {
    inner: S3Service,
}

impl Endpoint {
    /// Around the service of s3s.
    pub fn new(inner: S3Service) -> Self {
        Self { inner }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        let id = format!("{:016X}", rand::random::<u64>());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let version = request.version();
        let waits = request.headers().contains_key(header::EXPECT);
        let mut body = SharedBody::default();
        let request = request.map(|incoming| {
            body = SharedBody::new(incoming);
            s3s::Body::http_body_unsync(body.clone())
        });
        let mut response = self.inner.call(request).await?;
        let status = response.status();
        tracing::debug!(%method, path, status = status.as_u16(), request_id = id, "S3 request");
        let refused = status.is_client_error() || status.is_server_error();
        if refused && !body.drain(waits).await && version <= Version::HTTP_11 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        Ok(response)
    }
}

impl hyper::service::Service<Request<Incoming>> for Endpoint {
    type Response = Response<s3s::Body>;
    type Error = HttpError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

/// The body of a request, of which something is kept while s3s has it.
#[derive(Clone, Default)]
struct SharedBody {
    incoming: Arc<Mutex<Option<Incoming>>>,
}

impl SharedBody {
    fn new(incoming: Incoming) -> Self {
        Self { incoming: Arc::new(Mutex::new(Some(incoming))) }
    }

    fn with<T>(&self, missing: T, work: impl FnOnce(&mut Incoming) -> T) -> T {
        let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
        incoming.as_mut().map_or(missing, work)
    }

    /// Reads what is left; whether that was all. A client that `waits` to be told to send its body is not told to.
    async fn drain(mut self, waits: bool) -> bool {
        if self.is_end_stream() {
            return true;
        }
        if waits || self.size_hint().lower() > DRAIN_BYTES {
            return false;
        }
        let draining = async {
            let mut bytes = 0;
            while let Some(frame) = self.frame().await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
                if bytes > DRAIN_BYTES {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(DRAIN_TIME, draining).await.unwrap_or(false)
    }
}

impl Body for SharedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.with(Poll::Ready(None), |incoming| Pin::new(incoming).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(true, |incoming| incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(SizeHint::with_exact(0), |incoming| incoming.size_hint())
    }
}
