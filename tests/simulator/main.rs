//! The real controller of AccessKeys in thousands of random schedules: its worker, queue, passes, transport guard and
//! sweep, against an API server and a provider in memory, under a paused clock. Every call takes its time and meets its
//! fault, operators crash and freeze, people interfere; all of it follows from one number.
//!
//! * `cargo test --test simulator` runs a share; `STOREKEEPER_SEEDS=200000` so many (`make simulate`, `--profile
//!   simulation`), from `STOREKEEPER_FIRST_SEED` on.
//! * `STOREKEEPER_FAILURES=20` goes on after failures, up to so many.
//! * `STOREKEEPER_SEED=7` runs one and prints what happened, line by line.
//!
//! What happens to a request does not depend on its caller: [`wire`] carries it, [`cluster`] and [`vault`] execute it, and
//! [`ledger`] judges every write. [`controls`] breaks one promise at a time, and must be found out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a test that reports what it did
#![allow(clippy::struct_excessive_bools)] // what may be broken, one by one
#![allow(clippy::disallowed_methods)] // a world of its own starts its own tasks and makes its own Secrets

mod chance;
mod clock;
mod cluster;
mod controls;
mod fixtures;
mod ledger;
mod operator;
mod people;
mod plan;
mod regressions;
mod schedule;
mod tally;
mod trace;
mod vault;
mod wire;
mod world;

use schedule::Outcome;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tally::Tally;
use world::Sabotage;

/// How long the share of `cargo test` may take.
const SHARE: Duration = Duration::from_secs(12);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What to search through.
struct Search {
    first: u64,
    number: u64,
    time: Duration,
    sabotage: Sabotage,
    /// How many schedules may fail before it ends.
    failures: usize,
    tell: bool,
}

/// What was found.
struct Found {
    schedules: u64,
    tally: Tally,
    failed: Vec<(u64, String)>,
}

/// Runs schedules from `first` on, on all processors, until `number` or `time` is used up or too many fail.
fn search(search: &Search) -> Found {
    let Search { first, number, time, sabotage, failures, tell } = *search;
    let (next, done, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let (total, failed) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    let began = Instant::now();
    let work = || {
        let mut tally = Tally::default();
        while !stop.load(Ordering::Relaxed) && began.elapsed() < time {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= number {
                break;
            }
            let seed = first.wrapping_add(index);
            let outcome = schedule::run(seed, false, sabotage);
            tally.add(&outcome.tally);
            if let Some(failure) = outcome.failure {
                let mut failed = failed.lock().unwrap();
                failed.push((seed, failure));
                stop.store(failed.len() >= failures, Ordering::Relaxed);
            }
            let so_far = done.fetch_add(1, Ordering::Relaxed) + 1;
            if tell && so_far.is_multiple_of(10_000) {
                let rate = rate(so_far, began.elapsed());
                println!("{so_far} of {number} schedules, {rate} a second");
            }
        }
        total.lock().unwrap().add(&tally);
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    Found {
        schedules: done.into_inner(),
        tally: total.into_inner().unwrap(),
        failed: failed.into_inner().unwrap(),
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn rate(number: u64, took: Duration) -> u64 {
    (number as f64 / took.as_secs_f64()) as u64
}

/// What a failed schedule says: the seed, how to see it again, and the history.
fn report(seed: u64, outcome: &Outcome) -> String {
    let failure = outcome.failure.as_deref().unwrap_or("nothing failed");
    let replay = format!("STOREKEEPER_SEED={seed} cargo test --test simulator one_seed_tells -- --nocapture");
    format!("{}\nseed {seed}: {failure}\n{:?}\nreplay: {replay}", outcome.lines, outcome.plan)
}

fn print(schedules: u64, tally: &Tally, took: Duration) {
    println!("{schedules} schedules in {:.1} s: {} a second", took.as_secs_f64(), rate(schedules, took));
    println!("{} calls of operators; faults: {}", tally.calls, tally.all_faults());
    for (fault, number) in &tally.faults {
        println!("  {number:>9} {fault:?}");
    }
    println!("situations, by the number of schedules that reached them:");
    for (situation, number) in &tally.situations {
        println!("  {number:>9} {situation}");
    }
}

#[test]
fn what_must_hold_holds_in_every_schedule() {
    let seeds = number("STOREKEEPER_SEEDS");
    let began = Instant::now();
    let found = search(&Search {
        first: number("STOREKEEPER_FIRST_SEED").unwrap_or(0),
        number: seeds.unwrap_or(u64::MAX),
        time: if seeds.is_some() { Duration::MAX } else { SHARE },
        sabotage: Sabotage::default(),
        failures: number("STOREKEEPER_FAILURES").and_then(|most| most.try_into().ok()).unwrap_or(1),
        tell: seeds.is_some(),
    });
    print(found.schedules, &found.tally, began.elapsed());
    for (seed, failure) in &found.failed {
        println!("seed {seed}: {failure}");
    }
    if let Some((seed, _)) = found.failed.first() {
        println!("{}", report(*seed, &schedule::run(*seed, true, Sabotage::default())));
    }
    assert!(found.failed.is_empty(), "{} schedules failed", found.failed.len());
}

#[test]
fn an_api_server_that_is_slow_keeps_no_key_from_being_made() {
    let sabotage = Sabotage { slow_cluster: true, ..Sabotage::default() };
    let mut chosen = 0;
    for seed in 0..40 {
        let outcome = schedule::run(seed, true, sabotage);
        assert_eq!(outcome.failure, None, "seed {seed}");
        let (slow, _) = outcome.lines.split_once("all faults are over").unwrap();
        assert!(slow.contains("  PostSecret answered 201"), "seed {seed}: {:?}", outcome.plan);
        chosen += u32::from(matches!(outcome.plan.class, plan::Class::Takes { .. }));
    }
    assert!(chosen > 3, "pairs that are chosen are put as well");
}

#[test]
fn one_seed_tells_what_happens() {
    let seed = number("STOREKEEPER_SEED").unwrap_or(1);
    let outcome = schedule::run(seed, true, Sabotage::default());
    if std::env::var("STOREKEEPER_SEED").is_ok() {
        println!("{}", report(seed, &outcome));
        println!("hash {:016x}, {} s of virtual time", outcome.hash, outcome.took / 1000);
    }
    assert!(outcome.failure.is_none(), "seed {seed}: {:?}", outcome.failure);
    assert!(outcome.lines.contains("GetKey"), "the history has lines");
    assert!(!outcome.lines.contains(vault::CANARY), "the history has no secrets");
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    for seed in 0..40 {
        let (one, other) =
            (schedule::run(seed, false, Sabotage::default()), schedule::run(seed, true, Sabotage::default()));
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}

#[test]
fn another_process_sees_the_same_schedule() {
    for seed in [3, 1_000, 987_654_321] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["one_seed_tells_what_happens", "--exact", "--nocapture"])
            .env("STOREKEEPER_SEED", seed.to_string())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let hash = format!("hash {:016x}", schedule::run(seed, false, Sabotage::default()).hash);
        assert!(told.contains(&hash), "seed {seed}: {hash} is not in\n{told}");
    }
}
