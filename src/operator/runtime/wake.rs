//! Asking for passes over objects. The workers listen.

use super::kind::{Kind, ObjectKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// When a pass is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The object, or something that it refers to, has changed.
    Now,
    /// Something has changed that the object only counts.
    Refresh,
}

/// A request for a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Over which object.
    pub key: ObjectKey,
    /// When.
    pub when: When,
}

/// The sending ends, one per kind.
#[derive(Clone)]
pub struct Wakes {
    /// While closed, requests are dropped: an operator that does not work would only collect them.
    open: Arc<AtomicBool>,
    accounts: UnboundedSender<Wake>,
    tenants: UnboundedSender<Wake>,
    users: UnboundedSender<Wake>,
    keys: UnboundedSender<Wake>,
    buckets: UnboundedSender<Wake>,
}

/// The receiving ends, one per kind.
pub struct Sleepers {
    /// StorageAccounts.
    pub accounts: UnboundedReceiver<Wake>,
    /// Tenants.
    pub tenants: UnboundedReceiver<Wake>,
    /// StorageUsers.
    pub users: UnboundedReceiver<Wake>,
    /// AccessKeys.
    pub keys: UnboundedReceiver<Wake>,
    /// Buckets.
    pub buckets: UnboundedReceiver<Wake>,
}

/// Both ends. Each key is remembered once by its worker, so the channels hold no more than what changes at a time.
pub fn channels() -> (Wakes, Sleepers) {
    let (accounts, accounts_out) = unbounded_channel();
    let (tenants, tenants_out) = unbounded_channel();
    let (users, users_out) = unbounded_channel();
    let (keys, keys_out) = unbounded_channel();
    let (buckets, buckets_out) = unbounded_channel();
    let sleepers = Sleepers {
        accounts: accounts_out,
        tenants: tenants_out,
        users: users_out,
        keys: keys_out,
        buckets: buckets_out,
    };
    let open = Arc::default();
    (Wakes { open, accounts, tenants, users, keys, buckets }, sleepers)
}

impl Wakes {
    /// Asks for a pass as soon as there is room.
    pub fn now(&self, kind: Kind, key: ObjectKey) {
        self.send(kind, Wake { key, when: When::Now });
    }

    /// From now on requests are kept. To be called before the workers look at what there is.
    pub fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// Asks for a pass.
    pub fn send(&self, kind: Kind, wake: Wake) {
        if !self.open.load(Ordering::Acquire) {
            return;
        }
        let sender = match kind {
            Kind::StorageAccount => &self.accounts,
            Kind::Tenant => &self.tenants,
            Kind::StorageUser => &self.users,
            Kind::AccessKey => &self.keys,
            Kind::Bucket => &self.buckets,
        };
        // A worker that is gone has ended the process, or is about to.
        let _ = sender.send(wake);
    }
}
