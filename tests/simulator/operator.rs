//! One operator: the production worker of AccessKeys with all that belongs to its process, started again when it ends.
//! A process that dies takes everything with it that it remembers; what it has sent goes its way.

use crate::cluster::{Answer, Change, Request};
use crate::fixtures::AROUND;
use crate::ledger::Who;
use crate::tally::{Fault, Point};
use crate::vault::Counter;
use crate::wire::{Came, Told, Wire};
use crate::world::{CLUSTER, Life, NAME, NAMESPACE, Shared, World};
use crate::{chance, clock};
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use storekeeper::api::account::OrphanPolicy;
use storekeeper::api::{AccessKey, FINALIZER};
use storekeeper::operator::account::Account;
use storekeeper::operator::account::guard::Guard;
use storekeeper::operator::account::pool::Pool;
use storekeeper::operator::key::{self, Kept, sweep};
use storekeeper::operator::runtime::clients::Clients;
use storekeeper::operator::runtime::events::Events;
use storekeeper::operator::runtime::metrics::Metrics;
use storekeeper::operator::runtime::store::{Decoded, Stores};
use storekeeper::operator::runtime::wake::{self, Sleepers, Wake, When};
use storekeeper::operator::runtime::worker::Worker;
use storekeeper::operator::runtime::{Context, Kind, ObjectKey, Settings, triggers};
use storekeeper::provider::ClusterId;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const RESYNC: Duration = Duration::from_mins(10);

impl Told for Answer {
    fn code(&self) -> u16 {
        self.code
    }
}

/// Runs an operator for ever: again and again, as whoever looks after processes does.
pub async fn supervise(world: Shared, operator: usize) {
    loop {
        let (life, killed, stop) = {
            let world = world.lock();
            let process = &world.processes[operator];
            let life = Life { operator, number: process.life };
            (life, Arc::clone(&process.killed), Arc::clone(&process.told_to_stop))
        };
        let mut running = Running::start(&world, life);
        tokio::select! {
            biased;
            () = killed.notified() => {}
            () = stop.notified() => {
                tokio::select! {
                    biased;
                    () = killed.notified() => {}
                    () = running.stop() => {}
                }
                let mut world = world.lock();
                if world.is_alive(life) {
                    world.processes[operator].life += 1;
                }
            }
            _ = &mut running.worker => world.lock().breach("the worker has ended by itself".to_owned()),
        }
        drop(running);
        let pause = {
            let mut world = world.lock();
            let longest = if world.calm { 1_000 } else { 20_000 };
            world.chance.between(1, longest)
        };
        sleep(Duration::from_millis(pause)).await;
    }
}

/// The tasks of one process.
struct Running {
    ctx: Arc<Context>,
    worker: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.worker.abort();
        self.others.iter().for_each(JoinHandle::abort);
    }
}

impl Running {
    fn start(world: &Shared, life: Life) -> Self {
        let (ctx, sleepers) = context(world, life);
        let from = {
            let world = world.lock();
            if let Some(object) = world.cluster.get(&World::key_place()) {
                let object: AccessKey = serde_json::from_value((**object).clone()).unwrap();
                ctx.stores.keys.put(at(), Decoded::Valid(Arc::new(object)));
            }
            world.cluster.history.len()
        };
        ctx.wakes.open();
        let worker = Worker::<AccessKey>::new(Arc::clone(&ctx), ctx.stores.keys.clone(), sleepers.keys);
        let watch = tokio::spawn(watch(world.clone(), life, Arc::clone(&ctx), from));
        let sweeper = tokio::spawn(sweep_now_and_then(world.clone(), Arc::clone(&ctx)));
        Self { ctx, worker: tokio::spawn(worker.run()), others: vec![watch, sweeper] }
    }

    /// As at SIGTERM.
    async fn stop(&mut self) {
        self.ctx.stopping.cancel();
        let _ = (&mut self.worker).await;
        key::stop(&self.ctx).await;
    }
}

fn at() -> ObjectKey {
    ObjectKey::namespaced(NAMESPACE, NAME)
}

fn context(world: &Shared, life: Life) -> (Arc<Context>, Sleepers) {
    let wire = Wire { world: world.clone(), life };
    let service = {
        let wire = wire.clone();
        tower::service_fn(move |request| exchange(wire.clone(), request))
    };
    let client = kube::Client::new(service, "default");
    let clients = Clients { watcher: client.clone(), reader: client.clone(), writer: client };
    let (wakes, sleepers) = wake::channels();
    let (random, description) = {
        let mut world = world.lock();
        let stuck = world.sabotage.stuck_nonce;
        (chance::Seeded::new(world.chance.fork(), stuck), world.vault.description())
    };
    let stores = Stores::default();
    let cluster_scoped = |name: &str| ObjectKey::cluster(name);
    stores.accounts.put(cluster_scoped("main"), Decoded::Valid(Arc::clone(&AROUND.account)));
    stores.tenants.put(cluster_scoped("acme"), Decoded::Valid(Arc::clone(&AROUND.tenant)));
    stores.users.put(user_at(), Decoded::Valid(Arc::clone(&AROUND.user)));
    stores.namespaces.put(cluster_scoped(NAMESPACE), Decoded::Valid(Arc::clone(&AROUND.namespace)));
    let metrics = Metrics::new();
    let accounts = Pool::default();
    let timeout = Duration::from_millis(crate::wire::PATIENCE);
    let guard = Guard::new("main", Box::new(Counter(wire)), 8, timeout, metrics.clone(), Arc::new(|| {}));
    let guard = Arc::new(guard);
    accounts.replace("main", String::new(), Arc::clone(&guard));
    accounts.answered(Account::new("main", description, timeout, guard));
    let ctx = Context {
        events: Events::new(&clients, "simulated"),
        watcher: clients.watcher,
        reader: clients.reader,
        writer: clients.writer,
        cluster: ClusterId(CLUSTER.to_owned()),
        settings: Settings {
            namespaces: Vec::new(),
            operator_namespace: "storekeeper-system".to_owned(),
            leader_election: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            concurrency: 4,
            secret_check_interval: Duration::from_mins(1),
            resync_interval: RESYNC,
            orphan_quarantine: Duration::from_mins(2),
        },
        stores,
        accounts,
        kept: Kept::default(),
        metrics,
        wakes,
        stopping: CancellationToken::new(),
        now: clock::now,
        random: Arc::new(random),
    };
    (Arc::new(ctx), sleepers)
}

fn user_at() -> ObjectKey {
    ObjectKey::namespaced(NAMESPACE, "backup")
}

/// The watch of AccessKeys, and of the one StorageUser: each change in its order, each a moment late.
async fn watch(world: Shared, life: Life, ctx: Arc<Context>, mut next: usize) {
    let news = Arc::clone(&world.lock().processes[life.operator].news);
    let mut gate_open = true;
    loop {
        let (pause, gate) = {
            let mut world = world.lock();
            while world.cluster.history.get(next).is_some_and(|change| change.place.resource != "accesskeys")
            {
                next += 1;
            }
            let idle = next >= world.cluster.history.len() && gate_open == world.gate_open;
            let often = if world.calm { 0 } else { world.plan.slow };
            let longest = if world.chance.permille(often) { 5_000 } else { 30 };
            let pause = world.chance.between(1, longest);
            let stalled = world.processes[life.operator].watch_stalled_until;
            let pause = pause.max(stalled.saturating_sub(clock::elapsed()));
            ((!idle).then_some(pause), world.gate_open)
        };
        let Some(pause) = pause else {
            news.notified().await;
            continue;
        };
        sleep(Duration::from_millis(pause)).await;
        if gate != gate_open {
            gate_open = gate;
            let user = if gate { &AROUND.user } else { &AROUND.user_not_ready };
            ctx.stores.users.put(user_at(), Decoded::Valid(Arc::clone(user)));
            ctx.wakes.now(Kind::AccessKey, at());
        }
        let change = world.lock().cluster.history.get(next).cloned();
        if let Some(change) = change {
            next += 1;
            tell(&ctx, &change);
        }
    }
}

fn tell(ctx: &Context, change: &Change) {
    if change.place.resource != "accesskeys" {
        return;
    }
    let change = match &change.after {
        Some(object) => {
            let object: AccessKey = serde_json::from_value((**object).clone()).unwrap();
            ctx.stores.keys.put(at(), Decoded::Valid(Arc::new(object)))
        }
        None => ctx.stores.keys.remove(&at()),
    };
    if triggers::needs_pass(&change, FINALIZER) {
        ctx.wakes.send(Kind::AccessKey, Wake { key: at(), when: When::Now });
    }
}

/// What the controller of the StorageAccount does at every resync.
async fn sweep_now_and_then(world: Shared, ctx: Arc<Context>) {
    loop {
        let pause = world.lock().chance.between(60_000, 600_000);
        sleep(Duration::from_millis(pause)).await;
        let Some(account) = ctx.accounts.find("main") else { continue };
        if let Ok(swept) = sweep::sweep(&ctx, &account, OrphanPolicy::Revoke).await
            && swept.revoked > 0
        {
            world.lock().tally.reached("an orphan swept");
        }
    }
}

type Reply = http::Response<UnsyncBoxBody<bytes::Bytes, io::Error>>;

/// One request at the API server.
async fn exchange(wire: Wire, request: http::Request<Body>) -> Result<Reply, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::read(&parts, &body);
    let point = request.point();
    let shared = wire.world.clone();
    let detail = || format!("{:?}", parts.method);
    let came = wire.carry(point, detail, move |world| shared.execute(world, Who::Operator, &request)).await;
    match came {
        Came::Answer(answer) => Ok(respond(&answer)),
        Came::Refused(fault) => Ok(respond(&refusal(fault, point))),
        Came::Nothing => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection broke")),
        Came::Cut(answer) => {
            let bytes = answer.bytes();
            let half = Frame::data(bytes::Bytes::copy_from_slice(&bytes[..bytes.len() / 2]));
            let broken = io::Error::new(io::ErrorKind::UnexpectedEof, "the connection broke");
            let body = StreamBody::new(stream::iter([Ok(half), Err(broken)]));
            Ok(response(answer.code, body.boxed_unsync()))
        }
    }
}

fn refusal(fault: Fault, point: Point) -> Answer {
    let reads = matches!(point, Point::GetKey | Point::GetSecret);
    Answer::refusal(crate::cluster::objects::Refusal(
        match fault {
            Fault::Conflict if !reads => 409,
            Fault::Throttled => 429,
            Fault::Unavailable => 503,
            Fault::TimedOut => 504,
            _ => 500,
        },
        "Simulated",
    ))
}

fn respond(answer: &Answer) -> Reply {
    let body = Full::new(bytes::Bytes::from(answer.bytes()));
    response(answer.code, body.map_err(|never| match never {}).boxed_unsync())
}

fn response(code: u16, body: UnsyncBoxBody<bytes::Bytes, io::Error>) -> Reply {
    let mut response = http::Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap();
    response
}
