//! Reading Secrets from the API server. The client's own methods log the text of an answer that they cannot parse, and a
//! parser's error may quote it; here neither is kept.

use http::Request;
use http::header::ACCEPT;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::core::Status;
use kube::core::response::StatusDetails;
use serde::de::{DeserializeOwned, Error as _};

/// A whole object.
pub const WHOLE: &str = "application/json";
/// An answer with metadata only.
pub const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// `GET` of one object; `None` only where the API server says itself that it is not there.
#[allow(clippy::disallowed_methods, reason = "this is the quiet reader")]
pub async fn read<T: DeserializeOwned>(
    client: &Client,
    uri: &str,
    accept: &str,
) -> Result<Option<T>, kube::Error> {
    let request =
        Request::get(uri).header(ACCEPT, accept).body(Body::empty()).map_err(kube::Error::HttpError)?;
    let response = client.send(request).await?;
    let code = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if code.is_success() {
        let unreadable = |_| kube::Error::SerdeError(serde_json::Error::custom("its answer cannot be read"));
        return serde_json::from_slice(&body).map(Some).map_err(unreadable);
    }
    // What is no Status was not said by the API server but by something on the way, whose 404 proves nothing.
    let said = serde_json::from_slice::<Status>(&body).ok().filter(|status| status.code == code.as_u16());
    match said {
        Some(status) if code.as_u16() == 404 && status.is_not_found() => Ok(None),
        said => Err(kube::Error::Api(Box::new(refusal(code.as_u16(), said)))),
    }
}

/// A refusal without its words, unless it is about rights: they may quote what is stored.
fn refusal(code: u16, said: Option<Status>) -> Status {
    let Status { message, reason, details, .. } = said.unwrap_or_default();
    let message = if code == 403 { message } else { "its words are withheld".to_owned() };
    let details = details.map(|details| StatusDetails { causes: Vec::new(), ..details });
    Status { code, message, reason, details, ..Status::default() }
}

#[cfg(test)]
mod tests {
    use super::{WHOLE, read};
    use crate::operator::runtime::error::{Error, chain};
    use http::{Request, Response};
    use k8s_openapi::api::core::v1::Secret;
    use kube::Client;
    use kube::client::Body;
    use serde_json::json;

    const SECRET: &str = "d0phbHJYVXRuRkVNSS9LN01ERU5HL2JQeFJmaUNZRVhBTVBMRUtFWQ";

    async fn answered(code: u16, text: String) -> Result<Option<Secret>, kube::Error> {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let client = Client::new(service, "default");
        let server = async move {
            let (_, send) = handle.next_request().await.unwrap();
            send.send_response(Response::builder().status(code).body(Body::from(text.into_bytes())).unwrap());
        };
        tokio::join!(read(&client, "/api/v1/namespaces/a/secrets/b", WHOLE), server).0
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_is_not_quoted() {
        for text in [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": SECRET}).to_string(),
            format!(r#"{{"kind": "Secret", "data": {{"token": "{SECRET}"#),
            SECRET.to_owned(),
        ] {
            let error = answered(200, text).await.err().unwrap();
            let line = chain(&Error::kube("read the Secret", "a/b", error));
            assert!(line.contains("cannot be read") && !line.contains(&SECRET[..10]), "{line}");
        }
    }

    #[tokio::test]
    async fn only_a_definite_404_means_absent() {
        let status =
            |code: u16, reason: &str| json!({"kind": "Status", "code": code, "reason": reason}).to_string();
        assert!(answered(404, status(404, "NotFound")).await.unwrap().is_none());
        for (code, text) in [
            (404, "<html>no such page</html>".to_owned()),
            (404, status(200, "")),
            (403, status(403, "Forbidden")),
            (500, status(404, "NotFound")),
            (503, String::new()),
        ] {
            let error = answered(code, text).await.err().unwrap();
            assert!(matches!(error, kube::Error::Api(status) if status.code == code), "{code}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_not_quoted_unless_it_is_about_rights() {
        for (code, told) in [(403, true), (429, false), (500, false)] {
            let status = json!({
                "kind": "Status", "code": code, "reason": "x", "message": format!("stored: {SECRET}"),
                "details": {"retryAfterSeconds": 7, "causes": [{"message": SECRET}]},
            });
            let error = answered(code, status.to_string()).await.err().unwrap();
            assert_eq!(format!("{error:?}").contains(SECRET), told, "{code}");
            let kube::Error::Api(status) = error else { panic!("{code}") };
            assert_eq!(status.details.map(|details| details.retry_after_seconds), Some(7));
        }
    }
}
