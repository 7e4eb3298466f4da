//! Answers whose last byte is sent when the request was counted: whoever has a whole answer finds it on the bill, also
//! when the server is killed right after. An answer that the client does not read to its end is counted as far as it
//! was sent, unless the server is killed meanwhile.

use crate::server::store::{Payer, Store};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use s3s::StdError;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

/// Where the gate says whose request it is, once the signature is known to be good.
#[derive(Clone, Default)]
pub struct Bill(Arc<OnceLock<Arc<Payer>>>);

impl Bill {
    /// Says whose request it is.
    pub fn goes_to(&self, payer: Payer) {
        // The gate is passed once a request.
        drop(self.0.set(Arc::new(payer)));
    }

    /// Counts the request with its answer: at once where that has no body, else with the body's end.
    pub async fn settle(
        &self,
        store: &Store,
        method: &Method,
        response: Response<s3s::Body>,
    ) -> Response<s3s::Body> {
        let Some(payer) = self.0.get() else { return response };
        let bodiless = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if *method == Method::HEAD || bodiless || response.body().is_end_stream() {
            store.meter().count(payer, 0, crate::clock::now()).await;
            return response;
        }
        let length = response.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let length =
            length.and_then(|text| text.parse().ok()).or_else(|| response.body().size_hint().exact());
        response.map(|body| {
            let payer = Arc::clone(payer);
            s3s::Body::http_body_unsync(Metered::new(body, length, store.clone(), payer))
        })
    }
}

/// A body that is counted before its end.
struct Metered {
    inner: s3s::Body,
    /// Bytes of all of it, where that is known.
    length: Option<u64>,
    sent: u64,
    store: Store,
    payer: Arc<Payer>,
    stage: Stage,
}

enum Stage {
    /// Not counted yet.
    Sending,
    /// Being counted; then comes this, or the end.
    Counting(BoxFuture<'static, ()>, Option<Frame<Bytes>>),
    /// Counted, and all of it was sent.
    Done,
}

impl Metered {
    fn new(inner: s3s::Body, length: Option<u64>, store: Store, payer: Arc<Payer>) -> Self {
        Self { inner, length, sent: 0, store, payer, stage: Stage::Sending }
    }

    fn begin_counting(&mut self, last: Option<Frame<Bytes>>) {
        let (store, payer, sent) = (self.store.clone(), Arc::clone(&self.payer), self.sent);
        let counting = async move { store.meter().count(&payer, sent, crate::clock::now()).await };
        self.stage = Stage::Counting(Box::pin(counting), last);
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        loop {
            match &mut self.stage {
                Stage::Done => return Poll::Ready(None),
                Stage::Counting(counting, last) => {
                    ready!(counting.as_mut().poll(context));
                    let last = last.take();
                    self.stage = Stage::Done;
                    return Poll::Ready(last.map(Ok));
                }
                Stage::Sending => {}
            }
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.begin_counting(None);
                    continue;
                }
            };
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.sent += u64::try_from(bytes).unwrap_or(u64::MAX);
            if self.inner.is_end_stream() || self.length.is_some_and(|length| self.sent >= length) {
                self.begin_counting(Some(frame));
            } else {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    fn size_hint(&self) -> SizeHint {
        match self.stage {
            Stage::Sending => self.inner.size_hint(),
            Stage::Counting(..) | Stage::Done => SizeHint::default(),
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        match self.stage {
            Stage::Sending => self.store.meter().count_unheard(&self.payer, self.sent, crate::clock::now()),
            Stage::Counting(..) | Stage::Done => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bill;
    use crate::server::store::{Payer, Store};
    use bytes::Bytes;
    use http::{Method, Response};
    use http_body_util::{BodyExt as _, StreamBody};
    use hyper::body::{Body as _, Frame};

    struct World {
        store: Store,
        bill: Bill,
        _folder: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let bill = Bill::default();
            let text = |text: &str| text.to_owned();
            let (key, user, account, tenant) = (text("SK1"), text("us_1"), text("1"), text("tn_1"));
            bill.goes_to(Payer { key, user, account, tenant });
            Self { store, bill, _folder: folder }
        }

        async fn answer(&self, pieces: &'static [&'static str], length: Option<&str>) -> s3s::Body {
            let frame = |piece: &&'static str| Frame::data(Bytes::from_static(piece.as_bytes()));
            let frames = pieces.iter().map(move |piece| Ok::<_, std::io::Error>(frame(piece)));
            let frames = futures::stream::iter(frames);
            let mut response = Response::new(s3s::Body::http_body_unsync(StreamBody::new(frames)));
            if let Some(length) = length {
                response.headers_mut().insert("content-length", length.parse().unwrap());
            }
            self.bill.settle(&self.store, &Method::GET, response).await.into_body()
        }

        async fn counted(&self) -> (i64, i64) {
            let read = |c: &rusqlite::Connection| {
                let sql =
                    "SELECT coalesce(sum(requests), 0), coalesce(sum(egress), 0) FROM usage.request_hour";
                let row = c.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
                Ok::<_, crate::server::store::StoreError>(row?)
            };
            self.store.read(read).await.unwrap()
        }
    }

    #[tokio::test]
    async fn the_last_byte_comes_when_the_request_is_counted() {
        let world = World::new();
        let mut body = world.answer(&["abc", "de"], Some("5")).await;
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        assert_eq!(world.counted().await, (0, 0));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "de");
        assert_eq!(world.counted().await, (1, 5));
        assert!(body.is_end_stream());
        drop(body);
        assert_eq!(world.counted().await, (1, 5));
    }

    #[tokio::test]
    async fn an_answer_of_unknown_length_is_counted_before_its_end() {
        let world = World::new();
        let body = world.answer(&["abc", "de"], None).await;
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abcde");
        assert_eq!(world.counted().await, (1, 5));
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_to_its_end_counts_as_far_as_it_went() {
        let world = World::new();
        let mut body = world.answer(&["abc", "de"], Some("5")).await;
        body.frame().await.unwrap().unwrap();
        drop(body);
        // Counts of later requests are written after it.
        let empty = Response::new(s3s::Body::empty());
        world.bill.settle(&world.store, &Method::GET, empty).await;
        assert_eq!(world.counted().await, (2, 3));
    }

    #[tokio::test]
    async fn what_nobody_signed_is_on_nobodys_bill() {
        let world = World::new();
        let response = Response::new(s3s::Body::from("no".to_owned()));
        let answer = Bill::default().settle(&world.store, &Method::GET, response).await;
        answer.into_body().collect().await.unwrap();
        assert_eq!(world.counted().await, (0, 0));
    }
}
