//! Exactly once, proved: the production function `once::next` in every interleaving of two operators without a lock,
//! with crashes, lost answers, late and repeated requests, and people who interfere.
//!
//! `cargo test --test once_model` searches what fits in a minute. `STOREKEEPER_MODEL=full` searches everything (best
//! with `--release`); `STOREKEEPER_MODEL=A3/block` the worlds whose name contains the text. A counter-example is printed
//! step by step.

#![allow(clippy::trivially_copy_pass_by_ref, clippy::nonminimal_bool, clippy::struct_excessive_bools)] // states are small, and read as sentences
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test that reports what it searched

mod act;
mod action;
mod broken;
mod compact;
mod properties;
mod suite;
mod world;

use action::{Action, tell};
use stateright::{Checker, HasDiscoveries, Model};
use std::time::{Duration, Instant};
use world::{Config, World};

const LIMIT: Duration = Duration::from_hours(1);

/// A counter-example: the property that fails, and the way there.
type Failure = (&'static str, Vec<(World, Option<Action>)>);

/// What a search found.
struct Found {
    states: usize,
    failure: Option<Failure>,
    reached: Vec<&'static str>,
}

fn search(config: &Config) -> Found {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(2));
    let checker = config.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).timeout(LIMIT);
    let checker = checker.spawn_bfs().join();
    let took = started.elapsed();
    let names = properties::all();
    let failure = names
        .iter()
        .filter(|property| property.expectation.discovery_is_failure())
        .find_map(|property| Some((property.name, checker.discovery(property.name)?.into_vec())));
    let reached: Vec<_> = names
        .iter()
        .filter(|property| checker.discovery(property.name).is_some())
        .filter_map(|property| properties::situation(property.name))
        .collect();
    let result = match &failure {
        Some((name, path)) => format!("fails in {} steps: {name}", path.len() - 1),
        None if took >= LIMIT => "not finished".to_owned(),
        None => format!("holds; reached {}", reached.join(", ")),
    };
    println!(
        "{:<36} {:>10} states {:>6.1} s  depth {:>3}  {result}",
        config.name,
        checker.unique_state_count(),
        took.as_secs_f32(),
        checker.max_depth()
    );
    assert!(took < LIMIT, "{} must be finished", config.name);
    Found { states: checker.unique_state_count(), failure, reached }
}

fn wanted() -> Vec<Config> {
    match std::env::var("STOREKEEPER_MODEL").as_deref() {
        Ok("full") => suite::full(),
        Ok(part) if !part.is_empty() => {
            suite::full().into_iter().filter(|config| config.name.contains(part)).collect()
        }
        _ => suite::everyday(),
    }
}

#[test]
fn the_protocol_holds_in_every_world() {
    let (mut states, mut reached) = (0, std::collections::BTreeSet::new());
    for config in wanted() {
        let found = search(&config);
        if let Some((name, path)) = found.failure {
            for (world, action) in &path {
                match action {
                    Some(action) => println!("      {}", tell(world, *action)),
                    None => println!("      => {world:?}"),
                }
            }
            panic!("{}: {name}", config.name);
        }
        states += found.states;
        reached.extend(found.reached);
    }
    println!("{states} states in all");
    if std::env::var("STOREKEEPER_MODEL").is_ok_and(|part| part != "full") {
        return;
    }
    for property in properties::all() {
        if let Some(situation) = properties::situation(property.name) {
            assert!(reached.contains(situation), "no world reached: {situation}");
        }
    }
}

#[test]
fn every_broken_protocol_yields_a_counter_example() {
    let unnoticed: Vec<_> = suite::controls()
        .iter()
        .filter(|config| search(config).failure.is_none())
        .map(|config| config.name)
        .collect();
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}
