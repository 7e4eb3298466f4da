//! The connections to the accounts' management APIs. The account controller puts them in; every other kind takes them out.

use super::guard::Guard;
use super::select;
use crate::operator::key::sweep::Swept;
use crate::operator::runtime::{Context, Error, Verdict};
use crate::provider::{self, Capability, Description, ErrorKind, Inventory, Provider};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A working connection to one account.
pub struct Account {
    /// Name of the StorageAccount.
    pub name: String,
    /// Who answers, and what it can do.
    pub description: Description,
    /// How long a request may take; its turn is waited for up to [`LONGEST_WAIT`] before.
    ///
    /// [`LONGEST_WAIT`]: super::guard::LONGEST_WAIT
    pub request_timeout: Duration,
    provider: Arc<Guard>,
}

impl Account {
    /// A connection that has answered.
    pub fn new(
        name: &str,
        description: Description,
        request_timeout: Duration,
        provider: Arc<Guard>,
    ) -> Self {
        Self { name: name.to_owned(), description, request_timeout, provider }
    }

    /// The management API. Limit, circuit breaker and counting are around every call.
    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    /// What the management API showed a moment ago.
    pub fn inventory(&self) -> &Inventory {
        self.provider.inventory()
    }

    /// Whether the account can do that.
    pub fn can(&self, capability: Capability) -> bool {
        self.description.capabilities.contains(&capability)
    }

    /// A failed call as the runner takes it.
    pub fn failed(&self, error: provider::Error) -> Error {
        Error::provider(&self.name, error)
    }
}

/// All connections, by name of their StorageAccount.
#[derive(Default)]
pub struct Pool {
    accounts: Mutex<HashMap<String, Entry>>,
    sweeps: Mutex<HashMap<String, Sweep>>,
}

/// The last look for keys that outlived their AccessKeys.
struct Sweep {
    tried: Instant,
    found: Option<Swept>,
}

struct Entry {
    /// What the connection was made from: another value means another connection.
    made_from: String,
    guard: Arc<Guard>,
    account: Option<Arc<Account>>,
}

impl Pool {
    /// The connection to an account; `None` until it has answered once.
    pub fn find(&self, name: &str) -> Option<Arc<Account>> {
        self.lock().get(name).and_then(|entry| entry.account.clone())
    }

    /// The connection that was made from these settings, whether it has answered or not.
    pub fn guard(&self, name: &str, made_from: &str) -> Option<Arc<Guard>> {
        self.lock()
            .get(name)
            .filter(|entry| entry.made_from == made_from)
            .map(|entry| Arc::clone(&entry.guard))
    }

    /// What the connection to an account was made from.
    pub fn made_from(&self, name: &str) -> Option<String> {
        self.lock().get(name).map(|entry| entry.made_from.clone())
    }

    /// Puts in a new connection in place of any other. It is handed out once it has answered.
    pub fn replace(&self, name: &str, made_from: String, guard: Arc<Guard>) {
        self.lock().insert(name.to_owned(), Entry { made_from, guard, account: None });
    }

    /// Notes that a connection has answered: from now on it is handed out.
    pub fn answered(&self, account: Account) {
        if let Some(entry) = self.lock().get_mut(&account.name)
            && Arc::ptr_eq(&entry.guard, &account.provider)
        {
            entry.account = Some(Arc::new(account));
        }
    }

    /// Forgets the connection to an account.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// What the last sweep that succeeded found, and whether one was tried during the last `interval`.
    pub fn last_sweep(&self, name: &str, interval: Duration) -> (Option<Swept>, bool) {
        let sweeps = self.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        let sweep = sweeps.get(name);
        (
            sweep.and_then(|sweep| sweep.found.clone()),
            sweep.is_some_and(|sweep| sweep.tried.elapsed() < interval),
        )
    }

    /// Notes that a sweep was tried, and what it found if it succeeded.
    pub fn swept(&self, name: &str, found: Option<Swept>) {
        let mut sweeps = self.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sweeps.remove(name).and_then(|sweep| sweep.found);
        sweeps.insert(name.to_owned(), Sweep { tried: Instant::now(), found: found.or(before) });
    }

    /// Forgets all about an account that is gone.
    pub fn forget(&self, name: &str) {
        self.remove(name);
        self.sweeps.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection to an account, or why there is none: the account does not exist, or is not Ready.
pub fn usable(ctx: &Context, name: &str) -> Result<Arc<Account>, Verdict> {
    ctx.accounts.find(name).ok_or_else(|| match select::find(&ctx.stores.accounts.all(), name) {
        Ok(account) => select::not_ready(&account),
        Err(verdict) => verdict,
    })
}

/// The connection to an account that was there when the plan was made.
pub fn connected(ctx: &Context, op: &'static str, name: &str) -> Result<Arc<Account>, Error> {
    ctx.accounts.find(name).ok_or_else(|| {
        let kind = ErrorKind::Unreachable("the connection was given up meanwhile".to_owned());
        Error::provider(name, provider::Error { op, object: name.to_owned(), kind })
    })
}
