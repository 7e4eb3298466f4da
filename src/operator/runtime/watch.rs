//! The watches: each feeds its part of a store and tells of changes. An object that does not decode is kept as such.

use super::context::Context;
use super::error::chain;
use super::kind::{Located, ObjectKey};
use super::store::{Change, Decoded, Store, Stores};
use super::triggers::{self, Trigger};
use super::wake::{Wake, When};
use crate::api::FINALIZER;
use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::PartialObjectMeta;
use kube::core::DeserializeGuard;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::sync::watch as signal;

/// What `kubectl apply` leaves behind: as large as the object, and of no use here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Counts watches that have not yet listed what there is.
#[derive(Clone)]
pub struct Synced {
    pending: signal::Sender<usize>,
}

impl Synced {
    /// So many watches are expected.
    pub fn expecting(watches: usize) -> Self {
        Self { pending: signal::Sender::new(watches) }
    }

    /// One more watch has listed what there is.
    pub fn one_more(&self) {
        self.pending.send_modify(|pending| *pending = pending.saturating_sub(1));
    }

    /// Whether all have.
    pub fn is_complete(&self) -> bool {
        *self.pending.borrow() == 0
    }

    /// Waits until all have.
    pub async fn complete(&self) {
        let mut pending = self.pending.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = pending.wait_for(|pending| *pending == 0).await;
    }
}

/// Which other objects need a pass.
pub type Rule<K> = fn(&Stores, &Change<K>) -> Vec<Trigger>;

/// Watches one kind in one namespace, or in all. Never ends.
pub async fn kind<K: Located + Debug + DeserializeOwned + Send + Sync>(
    ctx: Arc<Context>,
    store: Store<K>,
    scope: Option<String>,
    rule: Rule<K>,
    synced: Synced,
) {
    let api = K::guarded_api(ctx.watcher.clone(), scope.as_deref());
    let stream = watch(api, watcher::Config::default()).modify(slim).default_backoff();
    let changed = |change: Change<K>| {
        if triggers::needs_pass(&change, FINALIZER) {
            ctx.wakes.send(K::KIND, Wake { key: change.key.clone(), when: When::Now });
        }
        for (kind, wake) in rule(&ctx.stores, &change) {
            ctx.wakes.send(kind, wake);
        }
    };
    feed(K::KIND.as_str(), stream, scope.as_deref(), &store, decoded, changed, &synced).await;
}

/// Watches the metadata of namespaces. Never ends.
pub async fn namespaces(ctx: Arc<Context>, synced: Synced) {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(ctx.watcher.clone());
    let stream = watch(api, watcher::Config::default()).modify(slim).default_backoff();
    let changed = |change: Change<PartialObjectMeta<Namespace>>| {
        for (kind, wake) in triggers::of_namespace(&ctx.stores, &change) {
            ctx.wakes.send(kind, wake);
        }
    };
    let valid = |object| Decoded::Valid(Arc::new(object));
    feed("Namespace", stream, None, &ctx.stores.namespaces, valid, changed, &synced).await;
}

fn slim<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove(LAST_APPLIED);
}

fn decoded<K>(object: DeserializeGuard<K>) -> Decoded<K> {
    match object.0 {
        Ok(object) => Decoded::Valid(Arc::new(object)),
        Err(invalid) => Decoded::Invalid(Arc::new(invalid)),
    }
}

/// Applies what a watch says to the store. Changes are told of once the first list is complete: until then nobody works.
async fn feed<T, K>(
    what: &'static str,
    stream: impl Stream<Item = Result<Event<T>, watcher::Error>>,
    scope: Option<&str>,
    store: &Store<K>,
    decoded: impl Fn(T) -> Decoded<K>,
    changed: impl Fn(Change<K>),
    synced: &Synced,
) where
    T: Resource,
    K: Resource<DynamicType = ()>,
{
    let mut stream = std::pin::pin!(stream);
    let mut listed = HashSet::new();
    let mut complete = false;
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                let key = ObjectKey::of(object.meta());
                listed.insert(key.clone());
                let change = store.put(key, decoded(object));
                if complete {
                    changed(change);
                }
            }
            Ok(Event::InitDone) => {
                let gone = store.retain(scope, &listed);
                listed.clear();
                if complete {
                    gone.into_iter().for_each(&changed);
                } else {
                    complete = true;
                    synced.one_more();
                }
            }
            Ok(Event::Apply(object)) => {
                changed(store.put(ObjectKey::of(object.meta()), decoded(object)));
            }
            Ok(Event::Delete(object)) => changed(store.remove(&ObjectKey::of(object.meta()))),
            Err(error) => {
                tracing::warn!(watch = what, error = chain(&error), "a watch failed; it is tried again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Synced, feed};
    use crate::operator::runtime::store::{Change, Decoded, Store};
    use futures::stream;
    use k8s_openapi::api::core::v1::Namespace;
    use kube::api::{ObjectMeta, PartialObjectMeta};
    use kube::runtime::watcher::Event;
    use std::cell::RefCell;
    use std::sync::Arc;

    type Meta = PartialObjectMeta<Namespace>;

    fn named(name: &str) -> Meta {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        Meta { metadata, ..Meta::default() }
    }

    #[tokio::test]
    async fn changes_are_told_of_after_the_first_list_and_a_new_list_shows_what_went() {
        let events = [
            Event::Init,
            Event::InitApply(named("a")),
            Event::InitApply(named("b")),
            Event::InitDone,
            Event::Apply(named("c")),
            Event::Init,
            Event::InitApply(named("a")),
            Event::InitApply(named("c")),
            Event::InitDone,
            Event::Delete(named("c")),
        ];
        let store = Store::<Meta>::default();
        let synced = Synced::expecting(1);
        let told = RefCell::new(Vec::new());
        let changed = |change: Change<Meta>| {
            let side = |side: &Option<Arc<Meta>>| if side.is_some() { '+' } else { '-' };
            told.borrow_mut().push(format!("{}{}{}", side(&change.before), side(&change.after), change.key));
        };
        let valid = |object| Decoded::Valid(Arc::new(object));
        feed("test", stream::iter(events.map(Ok)), None, &store, valid, changed, &synced).await;
        assert!(synced.is_complete());
        assert_eq!(told.into_inner(), ["-+c", "++a", "++c", "+-b", "+-c"]);
        assert_eq!(store.all().len(), 1);
    }
}
