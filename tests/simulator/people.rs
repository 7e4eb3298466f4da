//! What people and the cluster's own controllers do meanwhile.

use crate::clock;
use crate::cluster::objects::text;
use crate::fixtures::{access_key, foreign_secret};
use crate::ledger::{Who, is_foreign};
use crate::plan::Deed;
use crate::tally::Fault;
use crate::world::{NAMESPACE, Shared, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Does it, where there is anything to do it to.
pub fn does(shared: &Shared, deed: Deed) {
    let mut world = shared.lock();
    let world = &mut *world;
    world.say("person", || format!("{deed:?}"));
    world.trace.mix(deed as u64);
    let from = world.cluster.history.len();
    let secret = world.cluster.get(&World::secret_place()).cloned();
    match deed {
        Deed::DeleteSecret => take_secret(world, secret),
        Deed::RestoreSecret => {
            if let Some(backup) = world.backup.clone() {
                let _ = world.cluster.create(&World::secret_place(), backup, false);
            }
        }
        Deed::CreateForeign => {
            let _ = world.cluster.create(&World::secret_place(), foreign_secret(), false);
        }
        Deed::DeleteForeign => {
            if secret.is_some_and(|secret| is_foreign(&secret)) {
                let _ = world.cluster.delete(&World::secret_place(), None);
            }
        }
        Deed::RevokeKey => revoke_key(world),
        Deed::DeleteObject => {
            let _ = world.cluster.delete(&World::key_place(), None);
        }
        Deed::CreateObject => create_object(world),
        Deed::AskForReissue => ask_for_reissue(world),
        Deed::DeleteNamespace => {
            world.cluster.terminate(NAMESPACE);
            empty_namespace(shared, world);
        }
        Deed::CloseGate | Deed::OpenGate => {
            world.gate_open = deed == Deed::OpenGate;
            world.tell_watches();
        }
        Deed::Restart => {
            let operator = any_operator(world);
            world.tally.fault(Fault::Stopped);
            world.processes[operator].told_to_stop.notify_one();
        }
        Deed::Freeze => {
            let operator = any_operator(world);
            let pause = world.chance.pick(&[2_000, 20_000, 60_000, 200_000]);
            world.tally.fault(Fault::Frozen);
            world.processes[operator].frozen_until = clock::elapsed() + pause;
        }
        Deed::StallWatch => {
            let operator = any_operator(world);
            let pause = world.chance.pick(&[5_000, 60_000, 300_000]);
            world.tally.fault(Fault::WatchStalled);
            world.processes[operator].watch_stalled_until = clock::elapsed() + pause;
        }
        Deed::ProviderDown => {
            let pause = world.chance.pick(&[3_000, 30_000, 120_000]);
            world.tally.fault(Fault::ProviderDown);
            world.provider_down_until = clock::elapsed() + pause;
        }
    }
    shared.aftermath(world, Who::Person, from);
}

/// All is well from now on.
pub fn calm(shared: &Shared) {
    let mut world = shared.lock();
    world.say("world", || "all faults are over".to_owned());
    world.calm = true;
    world.provider_down_until = 0;
    world.gate_open = true;
    for process in &mut world.processes {
        process.frozen_until = 0;
        process.watch_stalled_until = 0;
    }
    world.tell_watches();
}

pub fn begin(shared: &Shared) {
    let mut world = shared.lock();
    let world = &mut *world;
    if world.plan.foreign_first {
        let _ = world.cluster.create(&World::secret_place(), foreign_secret(), false);
        world.ledger.foreign_from_start = true;
    }
    create_object(world);
    shared.aftermath(world, Who::Person, 0);
}

fn create_object(world: &mut World) {
    let object = access_key(&world.plan);
    if world.cluster.create(&World::key_place(), object, false).is_ok() && world.vault.keys.len() > 1 {
        world.tally.reached("an AccessKey made anew under its name");
    }
}

fn take_secret(world: &mut World, secret: Option<Arc<Value>>) {
    let Some(secret) = secret else { return };
    if !is_foreign(&secret) {
        world.tally.reached("a Secret deleted by a person");
        world.backup = Some(json!({
            "apiVersion": "v1", "kind": "Secret", "type": secret["type"], "data": secret["data"],
            "metadata": {
                "annotations": secret["metadata"]["annotations"], "labels": secret["metadata"]["labels"],
                "ownerReferences": secret["metadata"]["ownerReferences"],
            },
        }));
        if let Some(backup) = &mut world.backup
            && backup["metadata"]["ownerReferences"].is_null()
            && let Some(meta) = backup["metadata"].as_object_mut()
        {
            meta.remove("ownerReferences");
        }
    }
    let _ = world.cluster.delete(&World::secret_place(), None);
}

fn revoke_key(world: &mut World) {
    let live: Vec<(String, String)> = world
        .vault
        .live()
        .map(|key| (key.state.access_key_id.clone(), key.state.owner.uid.clone()))
        .collect();
    if live.is_empty() {
        return;
    }
    let index = world.chance.between(0, live.len() as u64 - 1);
    let (id, uid) = &live[usize::try_from(index).unwrap()];
    world.vault.revoke(id, Who::Person);
    world.ledger.spoil(uid);
    world.ledger.subject(uid).key_revoked_by_hand = true;
    world.tally.reached("a key revoked by hand");
}

fn ask_for_reissue(world: &mut World) {
    let Some(object) = world.cluster.get(&World::key_place()) else { return };
    let epoch = object.pointer("/status/published/epoch").and_then(Value::as_u64).unwrap_or_default();
    let patch = json!({"metadata": {"annotations": {"storekeeper.dev/reissue": (epoch + 1).to_string()}}});
    let _ = world.cluster.patch(&World::key_place(), &patch, false);
}

/// The namespace controller deletes everything, in no order.
fn empty_namespace(shared: &Shared, world: &mut World) {
    for place in [World::secret_place(), World::key_place()] {
        let pause = Duration::from_millis(world.chance.between(1, 400));
        world.under_way += 1;
        let shared = shared.clone();
        tokio::spawn(async move {
            sleep(pause).await;
            let mut world = shared.lock();
            let world = &mut *world;
            world.under_way -= 1;
            world.say("namespace", || format!("deletes {}", place.name));
            let from = world.cluster.history.len();
            let _ = world.cluster.delete(&place, None);
            shared.aftermath(world, Who::System, from);
        });
    }
}

fn any_operator(world: &mut World) -> usize {
    usize::try_from(world.chance.between(0, world.processes.len() as u64 - 1)).unwrap()
}

/// The reason that the AccessKey gives, if it is there.
pub fn reason(world: &World) -> Option<&str> {
    let object = world.cluster.get(&World::key_place())?;
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|one| one["type"] == "Ready").map(|ready| text(ready, "/reason"))
}
