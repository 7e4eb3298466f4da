//! Counters of the management API and of its jobs, in the OpenMetrics text format.

use crate::server::jobs::Counters;
use crate::server::passwords::Passwords;
use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    status: u16,
}

/// What is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    duration: Histogram,
}

impl Metrics {
    /// All at zero.
    pub fn new(jobs: &Counters, passwords: &Passwords) -> Self {
        let mut registry = Registry::with_prefix("storekeeper_server");
        let requests = Family::default();
        registry.register("requests", "Requests to the management API", requests.clone());
        let duration = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        registry.register_with_unit(
            "request_duration",
            "Duration of requests to the management API",
            Unit::Seconds,
            duration.clone(),
        );
        jobs.register(&mut registry);
        passwords.register(&mut registry);
        Self { registry, requests, duration }
    }

    /// Counts one request.
    pub fn count(&self, method: &Method, status: u16, duration: Duration) {
        let method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            _ => "other",
        };
        self.requests.get_or_create(&Labels { method, status }).inc();
        self.duration.observe(duration.as_secs_f64());
    }

    /// All of it as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
