//! Listing against an oracle: all entries, computed the slow way, page by page.

use super::World;
use crate::server::s3::list::{Listing, page, successor};
use crate::server::s3::list_versions;
use crate::server::store::StoreError;
use crate::server::store::objects::versions::{VersionInsert, insert};
use crate::server::store::{BlobName, Store};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Keys of few letters, so that prefixes, delimiters and their neighbours in byte order meet often.
fn key() -> impl Strategy<Value = String> {
    let letter = prop::sample::select(vec!["a", "b", "/", ".", "0", "é", "\u{10FFFF}", "~"]);
    prop::collection::vec(letter, 1..6).prop_map(|letters| letters.concat())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 1 => key()]
}

/// What a listing without pages has: every key, or the common prefix that it falls under.
fn oracle(keys: &BTreeSet<String>, prefix: &str, delimiter: Option<&str>, after: &str) -> Vec<String> {
    let entry = |key: &String| {
        let rest = key.strip_prefix(prefix)?;
        let cut = delimiter.and_then(|d| rest.find(d).map(|at| prefix.len() + at + d.len()));
        Some(cut.map_or(key.clone(), |cut| key[..cut].to_owned()))
    };
    let entries: BTreeSet<_> = keys.iter().filter_map(entry).collect();
    entries.into_iter().filter(|entry| entry.as_str() > after).collect()
}

fn fill(c: &rusqlite::Connection, keys: &BTreeSet<String>, versions: usize) -> Result<(), StoreError> {
    c.execute_batch("DELETE FROM object")?;
    for version in 0..versions {
        for key in keys {
            let blob = BlobName::from_random([0; 16]);
            insert(
                c,
                1,
                &VersionInsert {
                    key,
                    version: &version.to_string(),
                    size: 1,
                    etag: "",
                    blob: Some(&blob),
                    modified: 0,
                    attributes: "{}",
                    tags: "[]",
                    retention: None,
                    legal_hold: false,
                },
            )?;
        }
    }
    Ok(())
}

fn pages(c: &rusqlite::Connection, mut listing: Listing) -> Result<Vec<String>, StoreError> {
    let mut all = Vec::new();
    loop {
        let listed = page(c, 1, &listing)?;
        let mut entries = listed.prefixes;
        entries.extend(listed.objects.into_iter().map(|row| row.key));
        entries.sort();
        assert!(entries.len() <= listing.most);
        all.extend(entries);
        match listed.next {
            Some(next) => listing.after = next,
            None => return Ok(all),
        }
    }
}

fn version_pages(
    c: &rusqlite::Connection,
    mut listing: Listing,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut all = Vec::new();
    let mut version: Option<String> = None;
    loop {
        let listed = list_versions::page(c, 1, &listing, version.as_deref())?;
        assert!(listed.rows.len() + listed.prefixes.len() <= listing.most);
        all.extend(listed.prefixes.into_iter().map(|prefix| (prefix, String::new())));
        all.extend(listed.rows.into_iter().map(|row| (row.key, row.version)));
        match listed.next {
            Some((key, next)) => (listing.after, version) = (key, next),
            None => return Ok(all),
        }
    }
}

fn block<T>(
    store: &Store,
    work: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
) -> T
where
    T: Send + 'static,
{
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store.write(work)).unwrap()
}

fn world() -> World {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(World::with_bucket())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pages_of_objects_are_the_entries_in_order(
        keys in prop::collection::btree_set(key(), 0..24),
        prefix in text(),
        delimiter in prop::option::of(prop::sample::select(vec!["/", "a", "é", "\u{10FFFF}", "/."])),
        after in text(),
        most in 1_usize..5,
    ) {
        let world = WORLD.with(std::rc::Rc::clone);
        let expected = oracle(&keys, &prefix, delimiter, &after);
        let delimiter = delimiter.map(str::to_owned);
        let listing = Listing { prefix, delimiter, after, most };
        let found = block(&world.store, move |c| {
            fill(c, &keys, 1)?;
            pages(c, listing)
        });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn pages_of_versions_have_each_version_once(
        keys in prop::collection::btree_set(key(), 0..12),
        prefix in text(),
        delimiter in prop::option::of(prop::sample::select(vec!["/", "a", "é"])),
        most in 1_usize..5,
    ) {
        const VERSIONS: usize = 3;
        let world = WORLD.with(std::rc::Rc::clone);
        let mut expected = Vec::new();
        for entry in oracle(&keys, &prefix, delimiter, "") {
            if keys.contains(&entry) && delimiter.is_none_or(|d| !entry[prefix.len()..].contains(d)) {
                expected.extend((0..VERSIONS).rev().map(|version| (entry.clone(), version.to_string())));
            } else {
                expected.push((entry, String::new()));
            }
        }
        let listing = Listing { prefix, delimiter: delimiter.map(str::to_owned), after: String::new(), most };
        let mut found = block(&world.store, move |c| {
            fill(c, &keys, VERSIONS)?;
            version_pages(c, listing)
        });
        // Within a page prefixes and versions are apart; each entry is there once in any case.
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

thread_local! {
    static WORLD: std::rc::Rc<World> = std::rc::Rc::new(world());
}

#[test]
fn the_successor_is_greater_than_all_that_begin_alike() {
    assert_eq!(successor("a/").as_deref(), Some("a0"));
    assert_eq!(successor("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
    assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
    assert_eq!(successor("\u{10FFFF}"), None);
}

#[test]
fn a_version_that_was_removed_meanwhile_does_not_hide_the_rest_of_its_key() {
    let world = world();
    let keys: BTreeSet<_> = ["a".to_owned(), "b".to_owned()].into();
    let found = block(&world.store, move |c| {
        fill(c, &keys, 4)?;
        let listing = Listing { most: 2, ..Listing::default() };
        let first = list_versions::page(c, 1, &listing, None)?;
        let (after, version) = first.next.unwrap();
        c.execute("DELETE FROM object WHERE key = 'a' AND version IN ('3', '2')", [])?;
        let listing = Listing { most: 10, after, ..Listing::default() };
        list_versions::page(c, 1, &listing, version.as_deref())
    });
    let found: Vec<_> = found.rows.iter().map(|row| format!("{}{}", row.key, row.version)).collect();
    assert_eq!(found, ["a1", "a0", "b3", "b2", "b1", "b0"]);
}
