//! Quotas of buckets, users and tenants, also with many uploads at once.
//!
//! What counts is asked in the transaction that makes a version or a part: no quota is ever exceeded by what is stored.
//! Beside that, what is on its way is reserved in memory, so that uploads together do not fill the disk with what will
//! be refused in the end.

use super::errors::{Fault, quota_exceeded};
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::quotas::{Holder, Level, levels};
use rusqlite::Connection;
use s3s::S3Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Refuses where what there is now is more than a quota.
pub fn check(connection: &Connection, user: &str, bucket: &BucketRow) -> Result<(), Fault> {
    let levels = levels(connection, user, bucket)?;
    match levels.iter().find(|level| level.is_exceeded()) {
        Some(level) => Err(exceeded(&level.holder).into()),
        None => Ok(()),
    }
}

fn exceeded(holder: &Holder) -> S3Error {
    quota_exceeded(match holder {
        Holder::Bucket(_) => "the quota of the bucket is exceeded",
        Holder::User(_) => "the quota of the user is exceeded",
        Holder::Tenant(_) => "the quota of the tenant is exceeded",
    })
}

/// Bytes and objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    bytes: i64,
    objects: i64,
}

impl Amount {
    fn is_exceeded(self) -> bool {
        self.bytes < 0 || self.objects < 0
    }
}

/// What may still be added; less than nothing where it is too much already.
fn room(level: &Level) -> Amount {
    let left = |limit: Option<u64>, used: i64| {
        limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX).saturating_sub(used))
    };
    Amount { bytes: left(level.quota.size, level.bytes), objects: left(level.quota.objects, level.objects) }
}

/// What uploads under way have reserved. Cheap to clone.
#[derive(Clone, Default)]
pub struct Ledger {
    reserved: Arc<Mutex<HashMap<Holder, Amount>>>,
}

impl Ledger {
    /// For an upload to that bucket that takes the place of `freed` bytes of a version or part, where it does. `objects`:
    /// how many objects it adds.
    pub fn begin(
        &self,
        connection: &Connection,
        user: &str,
        bucket: &BucketRow,
        freed: Option<i64>,
        objects: i64,
    ) -> Result<Reservation, Fault> {
        let levels = levels(connection, user, bucket)?;
        let rooms = levels.iter().map(|level| {
            let Amount { bytes, objects } = room(level);
            let freed_objects = i64::from(freed.is_some());
            let bytes = bytes.saturating_add(freed.unwrap_or(0));
            (level.holder.clone(), Amount { bytes, objects: objects.saturating_add(freed_objects) })
        });
        let mut reservation =
            Reservation { ledger: self.clone(), rooms: rooms.collect(), held: Amount::default() };
        reservation.hold(Amount { bytes: 0, objects })?;
        Ok(reservation)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Holder, Amount>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one upload has reserved; given back when dropped. The transaction that counts the upload drops it.
pub struct Reservation {
    ledger: Ledger,
    rooms: Vec<(Holder, Amount)>,
    held: Amount,
}

impl Reservation {
    /// Reserves so many bytes, or refuses. Fewer than before change nothing.
    pub fn grow_to(&mut self, bytes: i64) -> Result<(), S3Error> {
        if self.rooms.is_empty() || bytes <= self.held.bytes {
            return Ok(());
        }
        self.hold(Amount { bytes, objects: self.held.objects })
    }

    fn hold(&mut self, wanted: Amount) -> Result<(), S3Error> {
        let mut reserved = self.ledger.lock();
        for (holder, room) in &self.rooms {
            let others = reserved.get(holder).copied().unwrap_or_default();
            let left = Amount {
                bytes: room.bytes.saturating_sub(others.bytes - self.held.bytes).saturating_sub(wanted.bytes),
                objects: room.objects.saturating_sub(others.objects - self.held.objects) - wanted.objects,
            };
            if left.is_exceeded() {
                return Err(exceeded(holder));
            }
        }
        for (holder, _) in &self.rooms {
            let amount = reserved.entry(holder.clone()).or_default();
            amount.bytes += wanted.bytes - self.held.bytes;
            amount.objects += wanted.objects - self.held.objects;
        }
        self.held = wanted;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.ledger.lock();
        for (holder, _) in &self.rooms {
            if let Some(amount) = reserved.get_mut(holder) {
                amount.bytes -= self.held.bytes;
                amount.objects -= self.held.objects;
                if *amount == Amount::default() {
                    reserved.remove(holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, Ledger, Reservation};
    use crate::server::store::objects::quotas::Holder;

    /// With room for ten bytes and two objects of a user, and for a hundred bytes of its tenant.
    fn begin(ledger: &Ledger, objects: i64) -> Option<Reservation> {
        let user = (Holder::User("us_1".to_owned()), Amount { bytes: 10, objects: 2 });
        let tenant = (Holder::Tenant("tn_1".to_owned()), Amount { bytes: 100, objects: i64::MAX });
        let held = Amount::default();
        let mut reservation = Reservation { ledger: ledger.clone(), rooms: vec![user, tenant], held };
        reservation.hold(Amount { bytes: 0, objects }).ok().map(|()| reservation)
    }

    #[test]
    fn uploads_at_the_same_time_share_the_room() {
        let ledger = Ledger::default();
        let mut first = begin(&ledger, 1).unwrap();
        let mut second = begin(&ledger, 1).unwrap();
        assert!(begin(&ledger, 1).is_none(), "two objects are all there may be");
        first.grow_to(6).unwrap();
        second.grow_to(4).unwrap();
        assert!(second.grow_to(5).is_err());
        assert!(first.grow_to(7).is_err());
        drop(first);
        second.grow_to(10).unwrap();
        drop(second);
        assert!(ledger.lock().is_empty());
        begin(&ledger, 2).unwrap().grow_to(10).unwrap();
    }
}
