//! Events, on transitions only. Nothing waits for them and nothing fails with them.

use super::clients::Clients;
use super::context::Context;
use super::error::chain;
use super::kind::{ObjectKey, uid_of};
use super::managed::Managed;
use super::status::{Conditioned, DELETION_BLOCKED, READY, is_own};
use super::supervisor;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};

/// What events say of their sender.
const CONTROLLER: &str = "storekeeper.dev/operator";
/// Longest note that the API takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Sends events.
#[derive(Clone)]
pub struct Events {
    client: Client,
    instance: String,
}

/// What has happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Whether somebody should have a look.
    pub warning: bool,
    /// CamelCase.
    pub reason: String,
    /// For people, with what to do.
    pub note: String,
}

impl Events {
    /// A sender; `instance` tells this operator from others.
    pub fn new(clients: &Clients, instance: &str) -> Self {
        Self { client: clients.writer.clone(), instance: instance.to_owned() }
    }

    /// Tells what is different between two statuses, if it is worth telling.
    pub fn tell<K: Managed>(&self, ctx: &Context, object: &K, before: &K::Status, after: &K::Status) {
        for happening in transitions(before, after) {
            tracing::info!(reason = happening.reason, "{}", happening.note);
            self.send(ctx, object, happening);
        }
    }

    /// Tells that something has happened to an object. Returns at once.
    #[allow(clippy::disallowed_methods, reason = "events are only ever created")]
    pub fn send<K: Managed>(&self, ctx: &Context, object: &K, happening: Happening) {
        let event = self.event(object, happening, (ctx.now)());
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        supervisor::detach(async move {
            if let Err(error) = api.create(&PostParams::default(), &event).await {
                // Creating is forbidden in a namespace that is being deleted, for example. Nothing depends on it.
                tracing::debug!(error = chain(&error), "failed to send an event");
            }
        });
    }

    fn event<K: Managed>(&self, object: &K, happening: Happening, now: Timestamp) -> Event {
        let key = ObjectKey::of(object.meta());
        let namespace = key.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let Happening { warning, reason, note } = happening;
        let stem: String = key.name.chars().take(200).collect();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{stem}.{:x}", now.as_nanosecond())),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            action: Some("Reconcile".to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(shortened(&note)),
            reason: Some(reason),
            regarding: Some(ObjectReference {
                api_version: Some(K::api_version(&()).into_owned()),
                kind: Some(K::kind(&()).into_owned()),
                name: Some(key.name),
                namespace: key.namespace,
                uid: Some(uid_of(object).to_owned()),
                resource_version: object.meta().resource_version.clone(),
                field_path: None,
            }),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }
}

fn shortened(note: &str) -> String {
    let mut end = note.len().min(LONGEST_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note[..end].to_owned()
}

/// What is worth telling: `Ready` becomes true, or false for another reason than before; deletion begins to wait, or
/// waits for something else; a condition of the kind's own turns.
pub fn transitions<S: Conditioned>(before: &S, after: &S) -> Vec<Happening> {
    let kept = |condition: &&Condition| {
        condition.type_ == READY
            || (condition.type_ == DELETION_BLOCKED && !after.conditions().is_true(READY))
            || is_own(&condition.type_)
    };
    let mut told = Vec::new();
    for condition in after.conditions().0.iter().filter(kept) {
        let old = before.conditions().get(&condition.type_);
        let same = old.is_some_and(|old| old.status == condition.status && old.reason == condition.reason);
        let first_of_own = old.is_none() && is_own(&condition.type_) && condition.status == "False";
        let repeats_ready = condition.type_ == DELETION_BLOCKED && !told.is_empty();
        if !same && !first_of_own && !repeats_ready {
            told.push(Happening {
                warning: is_bad(condition),
                reason: condition.reason.clone(),
                note: condition.message.clone(),
            });
        }
    }
    told
}

/// `Ready=False` while work goes on is no reason for concern; anything else that is not as it should be is.
fn is_bad(condition: &Condition) -> bool {
    match condition.type_.as_str() {
        READY => {
            condition.status != "True" && condition.reason != "Progressing" && condition.reason != "Deleting"
        }
        "SecretPublished" => condition.status != "True",
        _ => condition.status == "True",
    }
}

#[cfg(test)]
mod tests {
    use super::transitions;
    use crate::api::{BucketStatus, Reason};
    use crate::operator::runtime::{Judgement, Verdict, status};
    use jiff::Timestamp;

    fn status(previous: &BucketStatus, verdict: Verdict, deleting: bool) -> BucketStatus {
        let judgement = Judgement { verdict, deleting, extra: Vec::new() };
        let next = status::next(previous, previous.clone(), &judgement, 1, Timestamp::UNIX_EPOCH);
        next.unwrap_or_else(|| previous.clone())
    }

    #[test]
    fn events_tell_of_transitions_only() {
        let none = BucketStatus::default();
        let waiting = status(&none, Verdict::waiting(Reason::UserNotFound, "a"), false);
        let reworded = status(&waiting, Verdict::waiting(Reason::UserNotFound, "b"), false);
        let ready = status(&reworded, Verdict::Ready, false);
        let held = status(&ready, Verdict::waiting(Reason::InUse, "keys"), true);
        for (before, after, expected) in [
            (&none, &waiting, vec![(true, "UserNotFound")]),
            (&waiting, &reworded, vec![]),
            (&reworded, &ready, vec![(false, "Ready")]),
            (&ready, &ready, vec![]),
            (&ready, &held, vec![(true, "InUse")]),
        ] {
            let told = transitions(before, after);
            let told: Vec<_> = told.iter().map(|event| (event.warning, event.reason.as_str())).collect();
            assert_eq!(told, expected);
        }
    }
}
