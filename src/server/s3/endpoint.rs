//! The S3 service as hyper sees it: around s3s, what HTTP needs and S3 does not say.
//!
//! A request that is refused before its body was read would leave the body on the connection. A small one is read and
//! thrown away, so that the client, which may still be sending, gets to read the answer; otherwise the connection is
//! closed after the answer, and the answer says so.

use super::auth::within_request;
use super::metered::Bill;
use crate::server::store::Store;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::service::S3Service;
use s3s::{HttpError, HttpResponse, StdError};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Most bytes that are read only to be thrown away, and how long that may take.
const DRAIN_BYTES: u64 = 1 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// The S3 endpoint: a hyper service. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint {
    inner: S3Service,
    store: Store,
    silence: Duration,
}

impl Endpoint {
    /// Around the service of s3s; requests are counted in the store. A client may send nothing of a body that it has
    /// begun for as long as `silence`.
    pub fn new(inner: S3Service, store: Store, silence: Duration) -> Self {
        Self { inner, store, silence }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        let id = format!("{:016X}", rand::random::<u64>());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let version = request.version();
        let waits = request.headers().contains_key(header::EXPECT);
        let mut body = SharedBody::default();
        let bill = Bill::default();
        let mut request = request.map(|incoming| {
            body = SharedBody::new(incoming, self.silence);
            s3s::Body::http_body_unsync(body.clone())
        });
        request.extensions_mut().insert(bill.clone());
        let mut response = within_request(self.inner.call(request)).await?;
        let status = response.status();
        tracing::debug!(%method, path, status = status.as_u16(), request_id = id, "S3 request");
        let refused = status.is_client_error() || status.is_server_error();
        if refused && !body.drain(waits).await && version <= Version::HTTP_11 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        Ok(bill.settle(&self.store, &method, response).await)
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

/// The body of a request, of which something is kept while s3s has it. It ends with an error when the client stops
/// sending.
#[derive(Clone, Default)]
struct SharedBody {
    incoming: Arc<Mutex<Option<Arriving<Incoming>>>>,
}

struct Arriving<B> {
    incoming: B,
    /// How long nothing may come.
    silence: Duration,
    /// Done when nothing came for so long.
    late: Pin<Box<Sleep>>,
}

impl SharedBody {
    fn new(incoming: Incoming, silence: Duration) -> Self {
        Self { incoming: Arc::new(Mutex::new(Some(Arriving::new(incoming, silence)))) }
    }

    fn with<T>(&self, missing: T, work: impl FnOnce(&mut Arriving<Incoming>) -> T) -> T {
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

impl<B> Arriving<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<StdError>,
{
    fn new(incoming: B, silence: Duration) -> Self {
        Self { incoming, silence, late: Box::pin(tokio::time::sleep(silence)) }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) {
            self.late.as_mut().reset(Instant::now() + self.silence);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.late.as_mut().poll(context).map(|()| Some(Err("the client stopped sending".into())))
    }
}

impl Body for SharedBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.with(Poll::Ready(None), |arriving| arriving.poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(true, |arriving| arriving.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(SizeHint::with_exact(0), |arriving| arriving.incoming.size_hint())
    }
}

#[cfg(test)]
mod tests {
    use super::Arriving;
    use bytes::Bytes;
    use futures::StreamExt as _;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use std::convert::Infallible;
    use std::time::Duration;

    #[tokio::test]
    async fn a_body_that_stops_arriving_ends_with_an_error() {
        let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")));
        let some = futures::stream::iter([piece(), piece()]).chain(futures::stream::pending());
        let mut body = Arriving::new(StreamBody::new(some), Duration::from_millis(20));
        for good in [true, true, false] {
            let frame = std::future::poll_fn(|context| body.poll_frame(context)).await;
            assert_eq!(frame.unwrap().is_ok(), good);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_arrives_slowly_arrives() {
        let silence = Duration::from_mins(1);
        let pieces = futures::stream::iter(0..100).then(|_| async {
            tokio::time::sleep(Duration::from_secs(59)).await;
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")))
        });
        let mut body = Arriving::new(StreamBody::new(Box::pin(pieces)), silence);
        let mut came = 0;
        while let Some(frame) = std::future::poll_fn(|context| body.poll_frame(context)).await {
            came += frame.unwrap().data_ref().unwrap().len();
        }
        assert_eq!(came, 100);
    }
}
