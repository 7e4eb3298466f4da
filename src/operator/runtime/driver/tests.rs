use super::reconcile;
use crate::api::{BucketStatus, FINALIZER, Reason};
use crate::operator::account::pool::Pool;
use crate::operator::key::Kept;
use crate::operator::runtime::clients::Clients;
use crate::operator::runtime::events::Events;
use crate::operator::runtime::metrics::Metrics;
use crate::operator::runtime::random::SystemRandom;
use crate::operator::runtime::store::Stores;
use crate::operator::runtime::{
    Blocked, Class, Context, Ended, Error, Kind, Located, Managed, Plan, Settings, Verdict, wake,
};
use crate::provider::ClusterId;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use kube::core::DeserializeGuard;
use kube::{Api, Client, CustomResource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A kind whose outside world is one number per object.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[kube(group = "storekeeper.dev", version = "v1alpha1", kind = "Probe", namespaced, status = "BucketStatus")]
struct ProbeSpec {
    value: u32,
}

/// The outside world, by name of the object: each test has a name of its own.
static WORLD: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);

fn outside<T>(look: impl FnOnce(&mut HashMap<String, u32>) -> T) -> T {
    look(WORLD.lock().unwrap().get_or_insert_default())
}

#[derive(Debug)]
struct Seen {
    name: String,
    value: Option<u32>,
}

enum Step {
    Put(String, u32),
    Take(String),
}

impl Located for Probe {
    const KIND: Kind = Kind::Bucket;
    const NAMESPACED: bool = true;

    fn api(client: Client, namespace: Option<&str>) -> Api<Self> {
        Api::namespaced(client, namespace.unwrap_or_default())
    }
    fn guarded_api(client: Client, namespace: Option<&str>) -> Api<DeserializeGuard<Self>> {
        Api::namespaced(client, namespace.unwrap_or_default())
    }
}

impl Managed for Probe {
    type Desired = u32;
    type Seen = Seen;
    type Step = Step;

    fn desired(&self) -> Result<u32, Blocked> {
        if self.spec.value == 13 {
            Err(Blocked::new(Reason::InvalidSpec, "not 13"))
        } else {
            Ok(self.spec.value)
        }
    }

    async fn observe(&self, _: &Context) -> Result<Seen, Error> {
        let name = self.metadata.name.clone().unwrap();
        Ok(Seen { value: outside(|world| world.get(&name).copied()), name })
    }

    fn plan(desired: Option<&u32>, seen: &Seen, _: Timestamp) -> Plan<Step> {
        match (desired, seen.value) {
            (Some(wanted), there) if there != Some(*wanted) => {
                Plan::doing(vec![Step::Put(seen.name.clone(), *wanted)])
            }
            (None, Some(99)) => Plan::settled(Verdict::waiting(Reason::InUse, "99 stays")),
            (None, Some(_)) => Plan::doing(vec![Step::Take(seen.name.clone())]),
            (Some(_) | None, _) => Plan::settled(Verdict::Ready),
        }
    }

    async fn act(_: &Context, step: Step) -> Result<(), Error> {
        outside(|world| match step {
            Step::Put(name, value) => drop(world.insert(name, value)),
            Step::Take(name) => drop(world.remove(&name)),
        });
        Ok(())
    }

    fn report(&self, _: Option<&u32>, seen: &Seen, status: &mut BucketStatus) {
        status.owner = seen.value.map(|value| value.to_string());
    }
}

/// An API server with one object. It applies merge patches, and refuses one of another revision.
#[derive(Clone)]
struct Server {
    state: Arc<Mutex<State>>,
}

struct State {
    object: Value,
    writes: Vec<String>,
}

impl Server {
    fn with(object: Value) -> Self {
        Self { state: Arc::new(Mutex::new(State { object, writes: Vec::new() })) }
    }

    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, std::convert::Infallible>(server.answer(request).await) }
        });
        Client::new(service, "ns")
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if parts.uri.path().contains("/events") {
            return answer(StatusCode::CREATED, &json!({"metadata": {}}));
        }
        assert_eq!(parts.method, Method::PATCH);
        let patch: Value = serde_json::from_slice(&body).unwrap();
        let mut state = self.state.lock().unwrap();
        let part = if parts.uri.path().ends_with("/status") { "status" } else { "metadata" };
        if patch["metadata"]["resourceVersion"] != state.object["metadata"]["resourceVersion"] {
            let refusal = json!({"kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict"});
            return answer(StatusCode::CONFLICT, &refusal);
        }
        let version: u32 = state.object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        merge(&mut state.object, &patch);
        state.object["metadata"]["resourceVersion"] = json!((version + 1).to_string());
        state.writes.push(part.to_owned());
        answer(StatusCode::OK, &state.object)
    }

    fn object(&self) -> Arc<Probe> {
        Arc::new(serde_json::from_value(self.state.lock().unwrap().object.clone()).unwrap())
    }

    /// The writes since the last look: `metadata` or `status`.
    fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().writes)
    }
}

fn answer(code: StatusCode, body: &Value) -> Response<Body> {
    Response::builder().status(code).body(Body::from(serde_json::to_vec(body).unwrap())).unwrap()
}

fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else { return *target = patch.clone() };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

fn context(server: &Server) -> Context {
    let clients = Clients { watcher: server.client(), reader: server.client(), writer: server.client() };
    Context {
        events: Events::new(&clients, "test"),
        watcher: clients.watcher,
        reader: clients.reader,
        writer: clients.writer,
        cluster: ClusterId("cluster".to_owned()),
        settings: Settings {
            namespaces: Vec::new(),
            operator_namespace: "storekeeper-system".to_owned(),
            leader_election: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            concurrency: 1,
            secret_check_interval: Duration::from_mins(1),
            resync_interval: Duration::from_mins(10),
            orphan_quarantine: Duration::from_hours(1),
        },
        stores: Stores::default(),
        accounts: Pool::default(),
        kept: Kept::default(),
        metrics: Metrics::new(),
        wakes: wake::channels().0,
        stopping: CancellationToken::new(),
        now: || Timestamp::UNIX_EPOCH,
        random: Arc::new(SystemRandom),
    }
}

fn probe(name: &str, value: u32) -> Value {
    json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "Probe", "spec": {"value": value},
        "metadata": {"name": name, "namespace": "ns", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "status": {"observedGeneration": -1},
    })
}

fn deleting(name: &str) -> Value {
    let mut object = probe(name, 1);
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    object["metadata"]["finalizers"] = json!([FINALIZER, "other/finalizer"]);
    object
}

#[tokio::test]
async fn a_new_object_is_made_true_in_one_pass_and_an_unchanged_one_costs_no_write() {
    let server = Server::with(probe("new", 7));
    let ctx = context(&server);
    let outcome = reconcile(&ctx, server.object()).await.unwrap();
    assert_eq!(outcome.ended, Ended::Ready);
    assert_eq!(server.writes(), ["metadata", "status"]);
    assert_eq!(outside(|world| world["new"]), 7);
    let object = server.object();
    assert_eq!(object.metadata.finalizers, Some(vec![FINALIZER.to_owned()]));
    assert_eq!(object.status.as_ref().unwrap().owner.as_deref(), Some("7"));
    assert!(object.status.as_ref().unwrap().conditions.is_true("Ready"));
    // The next resync, and the first pass of another process.
    reconcile(&ctx, server.object()).await.unwrap();
    reconcile(&context(&server), server.object()).await.unwrap();
    assert!(server.writes().is_empty());
}

#[tokio::test]
async fn what_somebody_changed_outside_is_put_right_without_a_write_to_the_object() {
    let server = Server::with(probe("drift", 7));
    let ctx = context(&server);
    reconcile(&ctx, server.object()).await.unwrap();
    server.writes();
    outside(|world| world.insert("drift".to_owned(), 8));
    reconcile(&ctx, server.object()).await.unwrap();
    assert_eq!(outside(|world| world["drift"]), 7);
    assert!(server.writes().is_empty());
}

#[tokio::test]
async fn a_pass_over_a_stale_object_is_a_conflict_and_does_nothing() {
    let server = Server::with(probe("stale", 7));
    let stale = server.object();
    server.state.lock().unwrap().object["metadata"]["resourceVersion"] = json!("5");
    let error = reconcile(&context(&server), stale).await.unwrap_err();
    assert_eq!(error.class(), Class::Conflict);
    assert!(outside(|world| !world.contains_key("stale")));
    assert!(server.writes().is_empty());
}

#[tokio::test]
async fn a_spec_that_cannot_be_is_refused_without_a_finalizer() {
    let server = Server::with(probe("refused", 13));
    let outcome = reconcile(&context(&server), server.object()).await.unwrap();
    assert_eq!(outcome.ended, Ended::Blocked);
    assert_eq!(server.writes(), ["status"]);
    assert!(server.object().status.as_ref().unwrap().conditions.is_true("Stalled"));
}

#[tokio::test]
async fn an_object_goes_when_nothing_is_left_and_only_our_finalizer_with_it() {
    outside(|world| world.insert("going".to_owned(), 1));
    let server = Server::with(deleting("going"));
    let outcome = reconcile(&context(&server), server.object()).await.unwrap();
    assert_eq!(outcome.ended, Ended::Gone);
    assert_eq!(server.writes(), ["metadata"]);
    assert!(outside(|world| !world.contains_key("going")));
    assert_eq!(server.object().metadata.finalizers, Some(vec!["other/finalizer".to_owned()]));
    // What is no longer ours to hold is left alone.
    outside(|world| world.insert("going".to_owned(), 1));
    reconcile(&context(&server), server.object()).await.unwrap();
    assert!(outside(|world| world.contains_key("going")));
}

#[tokio::test]
async fn a_deletion_that_waits_says_so_and_needs_no_valid_spec() {
    outside(|world| world.insert("held".to_owned(), 99));
    let mut object = deleting("held");
    object["spec"]["value"] = json!(13);
    let server = Server::with(object);
    let outcome = reconcile(&context(&server), server.object()).await.unwrap();
    assert_eq!(outcome.ended, Ended::Waiting);
    assert!(server.object().status.as_ref().unwrap().conditions.is_true("DeletionBlocked"));
    outside(|world| world.insert("held".to_owned(), 1));
    assert_eq!(reconcile(&context(&server), server.object()).await.unwrap().ended, Ended::Gone);
}
