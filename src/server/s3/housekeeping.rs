//! What is tidied up without being asked: uploads that nobody goes on with, blobs that no row refers to, and usage of
//! long ago.

use crate::server::domain::usage::KEPT_HOURS;
use crate::server::store::objects::uploads;
use crate::server::store::{Store, StoreError, usage};
use jiff::Timestamp;
use rusqlite::Connection;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long an upload may lie: seven days since it was begun, or since its last part came.
const ABANDONED: i64 = 7 * 24 * 3600 * 1000;
/// Most uploads that are removed in one transaction.
const BATCH: u32 = 50;
const PERIOD: Duration = Duration::from_hours(1);

/// Removes abandoned uploads at the start and every hour, and every hour sweeps and forgets old usage, until told to
/// stop. At the start the store has swept already. Keeps room back for removals.
pub async fn keep_house(store: Store, stopping: CancellationToken) {
    let mut tidied = remove_abandoned(&store, crate::clock::now()).await;
    loop {
        if let Err(error) = tidied {
            tracing::warn!(%error, "failed to tidy up; it is tried again in an hour");
        }
        if let Err(error) = store.fill_reserve().await {
            tracing::warn!(%error, "no room is kept back for removals; it is tried again in an hour");
        }
        if stopping.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
            return;
        }
        tidied = tidy(&store, crate::clock::now()).await;
    }
}

/// Removes abandoned uploads with their parts, forgets old usage, then sweeps.
pub async fn tidy(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    remove_abandoned(store, now).await?;
    let oldest = now.as_second().div_euclid(3600) - KEPT_HOURS;
    store.meter().forget_before(oldest);
    store.write(move |c: &Connection| usage::forget_before(c, oldest)).await?;
    store.sweep(now).await
}

async fn remove_abandoned(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let before = now.as_millisecond() - ABANDONED;
    loop {
        let write = move |c: &Connection| {
            let ids = uploads::abandoned(c, before, BATCH)?;
            let mut blobs = Vec::new();
            for id in &ids {
                blobs.extend(uploads::delete(c, id)?);
            }
            Ok::<_, StoreError>((ids.len(), blobs))
        };
        let (removed, blobs) = store.write(write).await?;
        store.blobs().remove(blobs).await;
        if removed == 0 {
            return Ok(());
        }
        tracing::info!(uploads = removed, "removed uploads that were abandoned for seven days");
    }
}
