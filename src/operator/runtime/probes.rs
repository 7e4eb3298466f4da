//! `/healthz`, `/readyz` and `/metrics`, for the kubelet and for Prometheus.

use super::metrics::Metrics;
use super::watch::Synced;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Shown {
    metrics: Metrics,
    synced: Synced,
}

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, metrics: Metrics, synced: Synced) {
    if let Err(error) = axum::serve(listener, router(metrics, synced)).await {
        tracing::error!(error = super::error::chain(&error), "the server of the probes failed");
    }
}

fn router(metrics: Metrics, synced: Synced) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(shown))
        .with_state(Shown { metrics, synced })
}

/// Ready once everything that is watched is known, whoever leads.
async fn ready(State(shown): State<Shown>) -> (StatusCode, &'static str) {
    if shown.synced.is_complete() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the first lists are not complete\n")
    }
}

async fn shown(State(shown): State<Shown>) -> Response {
    match shown.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::router;
    use crate::operator::runtime::metrics::Metrics;
    use crate::operator::runtime::watch::Synced;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt as _;

    async fn status(synced: &Synced, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router(Metrics::new(), synced.clone()).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn an_operator_is_ready_once_it_knows_what_there_is() {
        let synced = Synced::expecting(1);
        assert_eq!(status(&synced, "/healthz").await, StatusCode::OK);
        assert_eq!(status(&synced, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        synced.one_more();
        assert_eq!(status(&synced, "/readyz").await, StatusCode::OK);
        assert_eq!(status(&synced, "/metrics").await, StatusCode::OK);
    }
}
