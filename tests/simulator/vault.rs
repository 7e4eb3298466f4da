//! A provider in memory: keys that are shown once, marks, and idempotency keys that it remembers (class A1), or pairs that
//! it is given (class B). Its list is linearizable. What it holds is [`Vault`]; [`Counter`] is how an operator talks to it.

use crate::chance::Chance;
use crate::clock;
use crate::ledger::Who;
use crate::plan::Class;
use crate::tally::{Fault, Point};
use crate::wire::{Came, Told, Wire};
use crate::world::World;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use storekeeper::hex::hex;
use storekeeper::provider::{
    BucketState, BucketWish, Capability, ClusterId, Description, Error, ErrorKind, KeyPair, KeyState,
    KeyWish, OwnerMark, Provider, RANDOM_BYTES, TenantState, TenantWish, UserState, UserWish,
};
use storekeeper::wire::ShownSecret;

/// Every secret begins with it, so that one in the wrong place is seen.
pub const CANARY: &str = "CANARY";
pub const USER: &str = "us_1";

/// Ways in which a provider could break its word: for the controls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faithlessness {
    /// What is listed is so many milliseconds old.
    pub stale_list: u64,
    /// The list shows no more than one key.
    pub short_list: bool,
}

#[derive(Clone)]
pub struct Key {
    pub state: KeyState,
    pub secret: String,
    pub made: u64,
    pub revoked: Option<(u64, Who)>,
}

/// A pair, and what it was made for.
pub struct Offer {
    pub secret: String,
    /// The uid of the AccessKey.
    pub owner: String,
    pub nonce: String,
}

pub struct Vault {
    /// All keys that ever were, by id.
    pub keys: BTreeMap<String, Key>,
    /// All pairs that ever were, shown or chosen, by id.
    pub offered: BTreeMap<String, Offer>,
    chance: Chance,
    class: Class,
    answers: BTreeMap<String, String>,
    faith: Faithlessness,
}

impl Vault {
    pub fn new(chance: Chance, class: Class, faith: Faithlessness) -> Self {
        let (keys, offered, answers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { keys, offered, chance, class, answers, faith }
    }

    pub fn description(&self) -> Description {
        let mut capabilities = BTreeSet::from([Capability::Quotas]);
        match self.class {
            Class::Shows => {}
            Class::Remembers => _ = capabilities.insert(Capability::IdempotentMint),
            Class::Takes { .. } => _ = capabilities.insert(Capability::ChosenPairs),
        }
        let text = |text: &str| text.to_owned();
        Description { name: text("memory"), version: text("1"), account_id: text("ac_1"), capabilities }
    }

    pub fn live(&self) -> impl Iterator<Item = &Key> {
        self.keys.values().filter(|key| key.revoked.is_none())
    }

    pub fn is_live(&self, id: &str) -> bool {
        self.keys.get(id).is_some_and(|key| key.revoked.is_none())
    }

    fn list(&self, of: Option<&OwnerMark>) -> Vec<KeyState> {
        let now = clock::elapsed();
        let age = if self.faith.stale_list > 0 && now > 0 { self.faith.stale_list } else { 0 };
        let seen = |key: &&Key| {
            (age == 0 || key.made + age <= now)
                && key.revoked.is_none_or(|(at, _)| age > 0 && at + age > now)
                && of.is_none_or(|of| key.state.owner == *of)
        };
        let most = if self.faith.short_list { 1 } else { usize::MAX };
        self.keys.values().filter(seen).take(most).map(|key| key.state.clone()).collect()
    }

    fn mint(&mut self, wish: &KeyWish, idempotency_key: Option<&str>) -> KeyPair {
        let pair = |id: &str, key: &Key| KeyPair {
            access_key_id: id.to_owned(),
            secret_access_key: ShownSecret::new(key.secret.clone()),
        };
        let known = idempotency_key.filter(|_| self.class == Class::Remembers);
        if let Some((id, key)) = known.and_then(|key| {
            let id = self.answers.get(key)?;
            Some((id, self.keys.get(id)?))
        }) {
            return pair(id, key);
        }
        let id = format!("SK{:018}", self.keys.len() + 1);
        let secret = format!("{CANARY}{:016x}{:016x}", self.chance.next(), self.chance.next());
        let key = Key { state: state(wish, &id, true), secret, made: clock::elapsed(), revoked: None };
        let made = pair(&id, &key);
        self.offer(wish, &made);
        self.keys.insert(id.clone(), key);
        if let Some(key) = known {
            self.answers.insert(key.to_owned(), id);
        }
        made
    }

    fn offer(&mut self, wish: &KeyWish, pair: &KeyPair) {
        let secret = pair.secret_access_key.reveal().to_owned();
        let offer = Offer { secret, owner: wish.owner.uid.clone(), nonce: wish.nonce.clone() };
        self.offered.insert(pair.access_key_id.clone(), offer);
    }

    /// Takes a pair, sometimes by halves, as where it takes several calls.
    fn take(&mut self, wish: &KeyWish, id: &str, secret: &str) -> Outcome<()> {
        let tombstones = self.class == Class::Takes { tombstones: true };
        if tombstones && self.keys.get(id).is_some_and(|key| key.revoked.is_some()) {
            return Err(ErrorKind::NameTaken("the id is spent".to_owned()));
        }
        let by_halves = !self.is_live(id) && self.chance.permille(150);
        let state = state(wish, id, !by_halves);
        let key = Key { state, secret: secret.to_owned(), made: clock::elapsed(), revoked: None };
        self.keys.insert(id.to_owned(), key);
        if by_halves { Err(ErrorKind::Failed("500".to_owned())) } else { Ok(()) }
    }

    pub fn revoke(&mut self, id: &str, who: Who) {
        if let Some(key) = self.keys.get_mut(id)
            && key.revoked.is_none()
        {
            key.revoked = Some((clock::elapsed(), who));
        }
    }
}

fn state(wish: &KeyWish, id: &str, complete: bool) -> KeyState {
    let KeyWish { user_id, owner, object, secret, epoch, nonce, .. } = wish.clone();
    KeyState {
        access_key_id: id.to_owned(),
        user_id,
        active: true,
        owner,
        object: Some(object),
        secret: Some(secret),
        epoch,
        nonce,
        created_at: clock::now(),
        complete,
    }
}

/// What a call to the provider came to.
type Outcome<T> = Result<T, ErrorKind>;

impl<T: Clone + Send + 'static> Told for Outcome<T> {
    fn code(&self) -> u16 {
        if self.is_ok() { 200 } else { 400 }
    }
}

/// Where one operator asks the provider.
pub struct Counter(pub Wire);

impl Counter {
    async fn call<T: Clone + Send + 'static>(
        &self,
        op: &'static str,
        point: Point,
        object: &str,
        mut execute: impl FnMut(&mut World) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let came = self.0.carry(point, || object.to_owned(), move |world| Ok(execute(world)));
        let result: Outcome<T> = match came.await {
            Came::Answer(answer) => answer,
            Came::Refused(fault) => Err(refusal(fault)),
            Came::Nothing => Err(ErrorKind::NoAnswer("silence".to_owned())),
            Came::Cut(_) => Err(ErrorKind::NoAnswer("half an answer".to_owned())),
        };
        result.map_err(|kind| Error { op, object: object.to_owned(), kind })
    }
}

fn refusal(fault: Fault) -> ErrorKind {
    match fault {
        Fault::Conflict => ErrorKind::QuotaExceeded("keys".to_owned()),
        Fault::Throttled => ErrorKind::Throttled { after: Some(Duration::from_secs(2)) },
        Fault::Unavailable => ErrorKind::Unavailable { after: None },
        Fault::TimedOut => ErrorKind::NoAnswer("504".to_owned()),
        _ => ErrorKind::Failed("500".to_owned()),
    }
}

fn not_here<T>(op: &'static str) -> Result<T, Error> {
    let kind = ErrorKind::NotSupported("not part of this world".to_owned());
    Err(Error { op, object: String::new(), kind })
}

#[async_trait]
impl Provider for Counter {
    async fn list_keys(&self, _: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error> {
        let of = of.cloned();
        let object = of.as_ref().map_or_else(|| "all".to_owned(), |of| of.uid.clone());
        self.call("list keys", Point::List, &object, move |world| world.vault.list(of.as_ref())).await
    }

    async fn mint_key(&self, key: &KeyWish, idempotency_key: Option<&str>) -> Result<KeyPair, Error> {
        self.0.world.lock().judge(|ledger, _| ledger.judge_sending(key, idempotency_key.is_some()));
        let (wish, idempotency_key) = (key.clone(), idempotency_key.map(str::to_owned));
        let what = format!("epoch {} nonce {}", key.epoch, key.nonce);
        self.call("create key", Point::Mint, &what, move |world| {
            let before = world.vault.keys.len();
            let pair = world.vault.mint(&wish, idempotency_key.as_deref());
            let new = world.vault.keys.len() > before;
            world.judge(|ledger, world| ledger.judge_mint(&wish, &pair.access_key_id, new, world));
            pair
        })
        .await
    }

    fn choose_pair(&self, key: &KeyWish, random: &[u8; RANDOM_BYTES]) -> Option<KeyPair> {
        let pair = KeyPair {
            access_key_id: format!("CP{}", hex(&random[..9])),
            secret_access_key: ShownSecret::new(format!("{CANARY}{}", hex(&random[9..25]))),
        };
        self.0.world.lock().vault.offer(key, &pair);
        Some(pair)
    }

    async fn put_key(&self, key: &KeyWish, pair: &KeyPair) -> Result<(), Error> {
        let (wish, id) = (key.clone(), pair.access_key_id.clone());
        let secret = pair.secret_access_key.reveal().to_owned();
        self.0.world.lock().judge(|ledger, _| ledger.judge_put(key, &id, &secret));
        let put = self.call("put key", Point::Put, &pair.access_key_id, move |world| {
            let new = !world.vault.is_live(&id);
            let taken = world.vault.take(&wish, &id, &secret);
            match &taken {
                Err(ErrorKind::NameTaken(_)) => world.tally.reached("a pair refused (B)"),
                Err(_) => world.tally.reached("a pair taken by halves (B)"),
                Ok(()) => {}
            }
            if world.vault.is_live(&id) {
                world.judge(|ledger, world| ledger.judge_taken(&wish, &id, new, world));
            }
            taken
        });
        put.await?.map_err(|kind| Error { op: "put key", object: pair.access_key_id.clone(), kind })
    }

    async fn revoke_key(&self, access_key_id: &str) -> Result<(), Error> {
        let id = access_key_id.to_owned();
        self.call("revoke key", Point::Revoke, access_key_id, move |world| {
            world.judge(|ledger, world| ledger.judge_revocation(&id, world));
            world.vault.revoke(&id, Who::Operator);
        })
        .await
    }

    async fn describe(&self) -> Result<Description, Error> {
        Ok(self.0.world.lock().vault.description())
    }
    async fn find_tenant(&self, _: &str) -> Result<Option<TenantState>, Error> {
        not_here("find tenant")
    }
    async fn create_tenant(&self, _: &TenantWish) -> Result<TenantState, Error> {
        not_here("create tenant")
    }
    async fn update_tenant(&self, _: &str, _: &TenantWish) -> Result<TenantState, Error> {
        not_here("update tenant")
    }
    async fn delete_tenant(&self, _: &str) -> Result<(), Error> {
        not_here("delete tenant")
    }
    async fn find_user(&self, _: &str) -> Result<Option<UserState>, Error> {
        not_here("find user")
    }
    async fn list_users(&self, _: &ClusterId) -> Result<Vec<UserState>, Error> {
        not_here("list users")
    }
    async fn create_user(&self, _: &UserWish) -> Result<UserState, Error> {
        not_here("create user")
    }
    async fn update_user(&self, _: &str, _: &UserWish) -> Result<UserState, Error> {
        not_here("update user")
    }
    async fn delete_user(&self, _: &str) -> Result<(), Error> {
        not_here("delete user")
    }
    async fn find_bucket(&self, _: &str, _: &str) -> Result<Option<BucketState>, Error> {
        not_here("find bucket")
    }
    async fn list_buckets(&self, _: &ClusterId) -> Result<Vec<BucketState>, Error> {
        not_here("list buckets")
    }
    async fn create_bucket(&self, _: &BucketWish) -> Result<BucketState, Error> {
        not_here("create bucket")
    }
    async fn update_bucket(&self, _: &BucketWish) -> Result<BucketState, Error> {
        not_here("update bucket")
    }
    async fn delete_bucket(&self, _: &str, _: &str) -> Result<(), Error> {
        not_here("delete bucket")
    }
}
