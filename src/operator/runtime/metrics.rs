//! What `/metrics` shows, in OpenMetrics. Labels are closed sets or names of StorageAccounts; never a secret, never an id.

use super::error::Class;
use super::kind::Kind;
use super::verdict::Ended;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of the buckets of durations, seconds.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByOutcome {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByClass {
    kind: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByCall {
    account: String,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByAccount {
    account: String,
}

type DurationFamily = Family<ByKind, Histogram, fn() -> Histogram>;

/// Everything that is counted. Clones share it.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ByOutcome, Counter>,
    durations: DurationFamily,
    errors: Family<ByClass, Counter>,
    queued: Family<ByKind, Gauge>,
    calls: Family<ByCall, Counter>,
    circuits: Family<ByAccount, Gauge>,
    orphans: Family<ByAccount, Gauge>,
    minted: Counter,
    published: Counter,
    revoked: Counter,
    secret_checks: Counter,
    status_writes: Family<ByKind, Counter>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at nought.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("storekeeper");
        let durations: DurationFamily = Family::new_with_constructor(|| Histogram::new(SECONDS));
        let mut metrics = Self {
            registry: Arc::new(Registry::default()),
            reconciles: Family::default(),
            durations,
            errors: Family::default(),
            queued: Family::default(),
            calls: Family::default(),
            circuits: Family::default(),
            orphans: Family::default(),
            minted: Counter::default(),
            published: Counter::default(),
            revoked: Counter::default(),
            secret_checks: Counter::default(),
            status_writes: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register(&mut registry);
        metrics.registry = Arc::new(registry);
        metrics
    }

    fn register(&self, to: &mut Registry) {
        to.register("reconciles", "Passes over objects", self.reconciles.clone());
        to.register("reconcile_duration_seconds", "Duration of passes", self.durations.clone());
        to.register("errors", "Passes that failed, by class of failure", self.errors.clone());
        to.register("queued_objects", "Objects that wait for a pass that is due", self.queued.clone());
        to.register("provider_calls", "Calls to management APIs", self.calls.clone());
        to.register(
            "account_circuit_open",
            "1 while calls to the account fail at once",
            self.circuits.clone(),
        );
        to.register("orphaned_keys", "Keys of ours whose AccessKey is gone", self.orphans.clone());
        to.register("keys_minted", "Keys that providers made", self.minted.clone());
        to.register("keys_published", "Keys recorded as published", self.published.clone());
        to.register("keys_revoked", "Keys revoked", self.revoked.clone());
        to.register(
            "secret_checks",
            "Reads of published Secrets between resyncs",
            self.secret_checks.clone(),
        );
        to.register("status_writes", "Writes of a status", self.status_writes.clone());
        to.register("leader", "1 while this operator works", self.leader.clone());
    }

    /// A pass that came to an end.
    pub fn reconciled(&self, kind: Kind, ended: Ended, took: Duration) {
        let outcome = match ended {
            Ended::Ready => "ready",
            Ended::Waiting => "waiting",
            Ended::Blocked => "blocked",
            Ended::Gone => "gone",
        };
        self.pass(kind, outcome, took);
    }

    /// A pass that failed.
    pub fn failed(&self, kind: Kind, class: Class, took: Duration) {
        self.pass(kind, "error", took);
        self.errors.get_or_create(&ByClass { kind: kind.as_str(), class: class.as_str() }).inc();
    }

    fn pass(&self, kind: Kind, outcome: &'static str, took: Duration) {
        let kind = kind.as_str();
        self.reconciles.get_or_create(&ByOutcome { kind, outcome }).inc();
        self.durations.get_or_create(&ByKind { kind }).observe(took.as_secs_f64());
    }

    /// How many objects of a kind are due and wait.
    pub fn queued(&self, kind: Kind, number: usize) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.queued.get_or_create(&ByKind { kind: kind.as_str() }).set(number);
    }

    /// A call to an account's management API.
    pub fn provider_call(&self, account: &str, operation: &'static str, outcome: &'static str) {
        let account = account.to_owned();
        self.calls.get_or_create(&ByCall { account, operation, outcome }).inc();
    }

    /// Whether calls to an account fail at once.
    pub fn circuit(&self, account: &str, open: bool) {
        self.circuits.get_or_create(&ByAccount { account: account.to_owned() }).set(i64::from(open));
    }

    /// How many keys of an account are orphans.
    pub fn orphans(&self, account: &str, number: usize) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.orphans.get_or_create(&ByAccount { account: account.to_owned() }).set(number);
    }

    /// Forgets an account that is gone.
    pub fn forget_account(&self, account: &str) {
        let label = ByAccount { account: account.to_owned() };
        self.circuits.remove(&label);
        self.orphans.remove(&label);
    }

    /// A provider has answered with a new key.
    pub fn key_minted(&self) {
        self.minted.inc();
    }

    /// A key is recorded as published.
    pub fn key_published(&self) {
        self.published.inc();
    }

    /// A key is revoked.
    pub fn key_revoked(&self) {
        self.revoked.inc();
    }

    /// A published Secret was looked for between two resyncs.
    pub fn secret_checked(&self) {
        self.secret_checks.inc();
    }

    /// A status was written.
    pub fn status_written(&self, kind: Kind) {
        self.status_writes.get_or_create(&ByKind { kind: kind.as_str() }).inc();
    }

    /// Whether this operator works.
    pub fn leading(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// All of it as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;
    use crate::operator::runtime::{Class, Ended, Kind};
    use std::time::Duration;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.reconciled(Kind::AccessKey, Ended::Ready, Duration::from_millis(3));
        metrics.failed(Kind::Bucket, Class::Throttled(None), Duration::ZERO);
        metrics.provider_call("main", "create key", "ok");
        metrics.key_minted();
        let text = metrics.text().unwrap();
        for line in [
            r#"storekeeper_reconciles_total{kind="AccessKey",outcome="ready"} 1"#,
            r#"storekeeper_errors_total{kind="Bucket",class="throttled"} 1"#,
            r#"storekeeper_provider_calls_total{account="main",operation="create key",outcome="ok"} 1"#,
            "storekeeper_keys_minted_total 1",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
