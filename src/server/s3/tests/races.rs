//! What happens at the same time: no reader ever sees a mixture, and nothing is left behind.

use super::{BUCKET, World, refused};
use crate::server::s3::get::find_with_blob;
use crate::server::store::BlobName;
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::versions::VersionRow;
use rusqlite::Connection;
use std::sync::Arc;

const WRITERS: usize = 4;
const ROUNDS: usize = 12;

/// Long enough for several reads of the disk; every byte tells which write it is of.
fn data(writer: usize, round: usize) -> String {
    let letter = char::from(b'a' + u8::try_from((writer * ROUNDS + round) % 26).unwrap());
    std::iter::repeat_n(letter, 300_000 + writer * 1000 + round).collect()
}

fn whole(text: &str) -> bool {
    let writer = (text.len() - 300_000) / 1000;
    text == data(writer, text.len() - 300_000 - writer * 1000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_see_a_torn_object_while_it_is_overwritten() {
    let world = Arc::new(World::with_bucket().await);
    world.put("a", &data(0, 0)).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            for round in 0..ROUNDS {
                world.put("a", &data(writer, round)).await.unwrap();
            }
        });
    }
    for _ in 0..WRITERS {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            for _ in 0..ROUNDS {
                assert!(whole(&world.get("a", None).await.unwrap()), "torn");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(world.blobs(), 1);
    world.assert_counted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_create_only_one_succeeds() {
    use s3s::S3;
    let world = Arc::new(World::with_bucket().await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            let mut input = World::put_input("a", "data");
            input.if_none_match = Some(s3s::dto::ETagCondition::Any);
            world.plane.put_object(World::full(input)).await
        });
    }
    let mut made = 0;
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => made += 1,
            Err(error) => refused::<()>(Err(error), "PreconditionFailed"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(world.blobs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_whose_blob_was_replaced_under_its_hands_reads_again() {
    let world = World::with_bucket().await;
    world.put("a", "old").await.unwrap();
    let (call, ()) = world.plane.enter(World::full(())).unwrap();
    let (reached, mut reader) = tokio::sync::mpsc::unbounded_channel::<()>();
    let (replaced, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(std::sync::Mutex::new(wait));
    let blobs = world.store.blobs().clone();
    let open = move |_: &Connection, _: &BucketRow, row: &VersionRow, blob: &BlobName| {
        if row.size == 3 {
            // The row of the old version was read; its blob goes before it is opened.
            reached.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        Ok(blobs.read(blob)?)
    };
    let reading = find_with_blob(&call, BUCKET, "a", None, open);
    let writing = async {
        reader.recv().await.unwrap();
        world.put("a", "replaced").await.unwrap();
        replaced.send(()).unwrap();
    };
    let (found, ()) = tokio::join!(reading, writing);
    assert_eq!(found.unwrap().1.size, 8);
}

#[tokio::test]
async fn a_version_without_its_blob_is_damage_and_not_absence() {
    let world = World::with_bucket().await;
    world.put("a", "data").await.unwrap();
    world.sql("UPDATE object SET blob = '00000000000000000000000000000000'").await;
    refused(world.get("a", None).await, "InternalError");
}

#[tokio::test]
async fn at_start_what_no_row_refers_to_is_unlinked() {
    let world = World::with_bucket().await;
    world.put("a", "data").await.unwrap();
    let mut writer = world.store.blobs().create();
    writer.write(b"left behind by a crash").await.unwrap();
    writer.finish().await.unwrap().release();
    assert_eq!(world.blobs(), 2);
    let World { store, plane, folder } = world;
    drop((store, plane));
    let store = open_again(folder.path()).await;
    let plane = crate::server::s3::operations::DataPlane::new(store.clone(), "storekeeper");
    let world = World { store, plane, folder };
    assert_eq!(world.blobs(), 1);
    assert_eq!(world.get("a", None).await.unwrap(), "data");
}

/// The lock of the folder is let go of when the last user of the old store has ended.
async fn open_again(folder: &std::path::Path) -> crate::server::store::Store {
    loop {
        match crate::server::store::Store::open(folder) {
            Ok(store) => return store,
            Err(crate::server::store::StoreError::Locked(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
