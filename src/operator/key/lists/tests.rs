use super::KeyLists;
use crate::provider::*;
use async_trait::async_trait;
use futures::future::join_all;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// A provider that lists, one permit per list, and writes down what it was asked for.
struct Lister {
    permits: Semaphore,
    asked: Mutex<Vec<Option<String>>>,
    waiting: AtomicUsize,
    fails: bool,
}

impl Lister {
    fn new(permits: usize, fails: bool) -> Self {
        let (asked, waiting) = (Mutex::default(), AtomicUsize::new(0));
        Self { permits: Semaphore::new(permits), asked, waiting, fails }
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

fn owner(uid: &str) -> OwnerMark {
    OwnerMark { cluster: ClusterId("c".to_owned()), uid: uid.to_owned() }
}

fn key(uid: &str) -> KeyState {
    KeyState {
        access_key_id: format!("SK-{uid}"),
        user_id: "us_1".to_owned(),
        active: true,
        owner: owner(uid),
        object: None,
        secret: None,
        epoch: 1,
        nonce: "0".repeat(32),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        complete: true,
    }
}

fn unused<T>() -> Result<T, Error> {
    unreachable!("only lists are asked for")
}

#[async_trait]
impl Provider for Lister {
    async fn list_keys(&self, _: &ClusterId, of: Option<&OwnerMark>) -> Result<Vec<KeyState>, Error> {
        self.asked.lock().unwrap().push(of.map(|owner| owner.uid.clone()));
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        if self.fails {
            return Err(Error {
                op: "list",
                object: String::new(),
                kind: ErrorKind::NoAnswer(String::new()),
            });
        }
        Ok(of
            .map_or_else(|| (0..9).map(|number| key(&number.to_string())).collect(), |of| vec![key(&of.uid)]))
    }
    async fn describe(&self) -> Result<Description, Error> {
        unused()
    }
    async fn find_tenant(&self, _: &str) -> Result<Option<TenantState>, Error> {
        unused()
    }
    async fn create_tenant(&self, _: &TenantWish) -> Result<TenantState, Error> {
        unused()
    }
    async fn update_tenant(&self, _: &str, _: &TenantWish) -> Result<TenantState, Error> {
        unused()
    }
    async fn delete_tenant(&self, _: &str) -> Result<(), Error> {
        unused()
    }
    async fn find_user(&self, _: &str) -> Result<Option<UserState>, Error> {
        unused()
    }
    async fn list_users(&self, _: &ClusterId) -> Result<Vec<UserState>, Error> {
        unused()
    }
    async fn create_user(&self, _: &UserWish) -> Result<UserState, Error> {
        unused()
    }
    async fn update_user(&self, _: &str, _: &UserWish) -> Result<UserState, Error> {
        unused()
    }
    async fn delete_user(&self, _: &str) -> Result<(), Error> {
        unused()
    }
    async fn mint_key(&self, _: &KeyWish, _: Option<&str>) -> Result<KeyPair, Error> {
        unused()
    }
    async fn revoke_key(&self, _: &str) -> Result<(), Error> {
        unused()
    }
    async fn find_bucket(&self, _: &str, _: &str) -> Result<Option<BucketState>, Error> {
        unused()
    }
    async fn list_buckets(&self, _: &ClusterId) -> Result<Vec<BucketState>, Error> {
        unused()
    }
    async fn create_bucket(&self, _: &BucketWish) -> Result<BucketState, Error> {
        unused()
    }
    async fn update_bucket(&self, _: &BucketWish) -> Result<BucketState, Error> {
        unused()
    }
    async fn delete_bucket(&self, _: &str, _: &str) -> Result<(), Error> {
        unused()
    }
}

#[tokio::test]
async fn one_alone_lists_its_own_keys() {
    let (lists, lister) = (KeyLists::default(), Lister::new(1, false));
    let keys = lists.of(&lister, &owner("3")).await.unwrap();
    assert_eq!(keys, [key("3")]);
    assert_eq!(lister.asked(), [Some("3".to_owned())]);
}

#[tokio::test]
async fn those_who_ask_while_a_list_is_under_way_share_the_next_one() {
    let (lists, lister) = (KeyLists::default(), Lister::new(0, false));
    let alone = owner("0");
    let first = lists.of(&lister, &alone);
    let marks: Vec<_> = (1..=lister.list_all_from()).map(|number| owner(&number.to_string())).collect();
    let others = join_all(marks.iter().map(|mark| lists.of(&lister, mark)));
    let release = async {
        while lister.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        lister.permits.add_permits(2);
    };
    let (first, others, ()) = tokio::join!(first, others, release);
    assert_eq!(first.unwrap(), [key("0")]);
    for (mark, keys) in marks.iter().zip(others) {
        assert_eq!(keys.unwrap(), [key(&mark.uid)]);
    }
    assert_eq!(lister.asked(), [Some("0".to_owned()), None]);
}

#[tokio::test]
async fn a_failed_list_fails_for_all_who_shared_it() {
    let (lists, lister) = (KeyLists::default(), Lister::new(9, true));
    let marks: Vec<_> = (0..lister.list_all_from()).map(|number| owner(&number.to_string())).collect();
    let answers = join_all(marks.iter().map(|mark| lists.of(&lister, mark))).await;
    assert!(answers.iter().all(Result::is_err));
}

#[tokio::test]
async fn a_list_that_is_dropped_half_way_does_not_block_the_others() {
    let (lists, lister) = (KeyLists::default(), Lister::new(0, false));
    let (one, two) = (owner("1"), owner("2"));
    let mut dropped = Box::pin(lists.of(&lister, &one));
    assert!(futures::poll!(&mut dropped).is_pending());
    let mut waits = Box::pin(lists.of(&lister, &two));
    assert!(futures::poll!(&mut waits).is_pending());
    drop(dropped);
    lister.permits.add_permits(1);
    assert_eq!(waits.await.unwrap(), [key("2")]);
}
