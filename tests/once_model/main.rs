//! Exactly once, proved: the production function `once::next` in every interleaving of two operators without a lock,
//! with crashes, lost answers, late and repeated requests, and people who interfere.
//!
//! `cargo test --test once_model` searches what fits in a minute. `STOREKEEPER_MODEL=full` searches everything (best
//! with `--release`); `STOREKEEPER_MODEL=A3/block` the worlds whose name contains the text. A counter-example is printed
//! step by step.

#![allow(clippy::trivially_copy_pass_by_ref, clippy::nonminimal_bool, clippy::struct_excessive_bools)] // states are small, and read as sentences
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)] // a test that reports what it searched

mod act;
mod action;
mod broken;
mod compact;
mod config;
mod controls;
mod model;
mod people;
mod properties;
mod replay;
mod rest;
mod restore;
mod situations;
mod suite;
mod translate;
mod world;

use action::{Action, tell};
use config::Config;
use stateright::{Checker, HasDiscoveries, Model};
use std::time::{Duration, Instant};
use world::World;

const LIMIT: Duration = Duration::from_hours(1);
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// A counter-example: the property that fails, and the way there.
type Failure = (&'static str, Vec<(World, Option<Action>)>);

/// What a search found.
struct Found {
    states: usize,
    failure: Option<Failure>,
    reached: Vec<&'static str>,
}

/// Says every few seconds how far a long search has come.
fn watched<C: Checker<Config>>(name: &str, started: Instant, checker: C) -> C {
    let mut said = started;
    while !checker.is_done() {
        std::thread::sleep(Duration::from_millis(5));
        if said.elapsed() >= BETWEEN_LINES {
            said = Instant::now();
            let (states, depth) = (checker.unique_state_count(), checker.max_depth());
            eprintln!("  {name}: {states} states, depth {depth}, {} s", started.elapsed().as_secs());
        }
    }
    checker
}

fn search(config: &Config) -> Found {
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(2));
    let checker = config.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).timeout(LIMIT);
    let checker = watched(config.name, started, checker.spawn_bfs()).join();
    let took = started.elapsed();
    let names = properties::all(config);
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
            let mut named = std::collections::BTreeSet::new();
            let all = suite::full().into_iter().chain(suite::everyday());
            all.filter(|config| config.name.contains(part) && named.insert(config.name)).collect()
        }
        _ => suite::everyday(),
    }
}

/// What is wrong with a world: a property fails, or what must be reached was not.
fn complaint(config: &Config, found: &Found) -> Option<String> {
    if let Some((name, path)) = &found.failure {
        for (world, action) in path {
            match action {
                Some(action) => println!("      {}", tell(world, *action)),
                None => println!("      => {world:?}"),
            }
        }
        return Some(format!("{}: {name}", config.name));
    }
    let missed =
        situations::must_be_reached(config).into_iter().find(|must| !found.reached.contains(must))?;
    Some(format!("{} did not reach: {missed}", config.name))
}

#[test]
fn the_protocol_holds_in_every_world() {
    let (started, worlds) = (Instant::now(), wanted());
    let (mut states, mut reached, mut complaints) = (0, std::collections::BTreeSet::new(), Vec::new());
    for config in &worlds {
        let found = search(config);
        complaints.extend(complaint(config, &found));
        states += found.states;
        reached.extend(found.reached);
    }
    println!("{} worlds, {states} states, {} s", worlds.len(), started.elapsed().as_secs());
    let part = std::env::var("STOREKEEPER_MODEL").is_ok_and(|wanted| !wanted.is_empty() && wanted != "full");
    if !part {
        let missed = properties::everywhere().into_iter().filter(|situation| !reached.contains(situation));
        complaints.extend(missed.map(|situation| format!("no world reached: {situation}")));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn every_broken_protocol_yields_a_counter_example() {
    let unnoticed: Vec<_> = controls::controls()
        .iter()
        .filter(|config| search(config).failure.is_none())
        .map(|config| config.name)
        .collect();
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}
