//! What is counted of jobs.

use crate::wire::JobKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A kind of job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfKind {
    kind: &'static str,
}

/// How a run or a try of a kind ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfOutcome {
    kind: &'static str,
    outcome: &'static str,
}

/// The counters; clones count together.
#[derive(Clone, Default)]
pub struct Counters {
    /// Jobs at work.
    pub running: Gauge,
    /// Ends of runs and tries.
    pub ended: Family<OfOutcome, Counter>,
    /// Versions and markers copied or removed.
    pub versions: Family<OfKind, Counter>,
    /// Bytes of those.
    pub bytes: Family<OfKind, Counter>,
}

impl Counters {
    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("jobs_running", "Jobs at work", self.running.clone());
        registry.register(
            "job_runs_ended",
            "Runs and tries of jobs that ended, by outcome",
            self.ended.clone(),
        );
        registry.register(
            "job_versions",
            "Object versions that jobs copied or removed",
            self.versions.clone(),
        );
        registry.register("job_bytes", "Bytes that jobs copied or removed", self.bytes.clone());
    }

    /// Counts the end of a run or a try.
    pub fn end(&self, kind: JobKind, outcome: &'static str) {
        self.ended.get_or_create(&OfOutcome { kind: word(kind), outcome }).inc();
    }

    /// Counts what a step did.
    pub fn step(&self, kind: JobKind, versions: u64, bytes: u64) {
        self.versions.get_or_create(&OfKind { kind: word(kind) }).inc_by(versions);
        self.bytes.get_or_create(&OfKind { kind: word(kind) }).inc_by(bytes);
    }
}

fn word(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Backup => "Backup",
        JobKind::Restore => "Restore",
        JobKind::EmptyBucket => "EmptyBucket",
    }
}
