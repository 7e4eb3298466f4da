//! The same for what is told a thing to do: to run, to stop, to show a new pair. It takes the right to edit it.

use super::{Place, ROLES, World, letter_of};

#[rustfmt::skip] // a table
const ACTIONS: &[(&str, &str, &str)] = &[
    // action             where            Admi Tena Full Back Read
    ("rotate",             "own",           "+ + - - -"),
    ("rotate",             "public",        "+ - - - -"),
    ("rotate",             "isolated",      "- - - - -"),
    ("rotate",             "administrator", "+ - - - -"),

    ("Backup run",         "own",           "+ + + + f"),
    ("Backup run",         "public",        "+ - - - -"),
    ("Backup run",         "isolated",      "- - - - -"),
    ("Backup run",         "administrator", "+ - - - -"),

    ("Backup cancel",      "own",           "+ + + + f"),
    ("Backup cancel",      "public",        "+ - - - -"),
    ("Backup cancel",      "isolated",      "- - - - -"),
    ("Backup cancel",      "administrator", "+ - - - -"),

    ("EmptyBucket run",    "own",           "+ + + f f"),
    ("EmptyBucket run",    "public",        "+ - - - -"),
    ("EmptyBucket run",    "isolated",      "- - - - -"),
    ("EmptyBucket run",    "administrator", "+ - - - -"),

    ("EmptyBucket cancel", "own",           "+ + + f f"),
    ("EmptyBucket cancel", "public",        "+ - - - -"),
    ("EmptyBucket cancel", "isolated",      "- - - - -"),
    ("EmptyBucket cancel", "administrator", "+ - - - -"),
];

/// A job that can be told to run, or to be cancelled.
async fn job_for(world: &mut World, kind: &'static str, verb: &str, place: &Place) -> String {
    let path = world.item(kind, place).await;
    if verb == "run" {
        place.maker.call("POST", &format!("{path}/cancel"), &[], None).await.expect(200);
    }
    format!("{path}/{verb}")
}

async fn letter(world: &mut World, actor: usize, action: &str, relation: &str) -> char {
    let place = world.place(actor, relation);
    let path = match action.split_once(' ') {
        Some(("Backup", verb)) => job_for(world, "Backup", verb, &place).await,
        Some((_, verb)) => job_for(world, "EmptyBucket", verb, &place).await,
        None => format!("{}/rootKey/rotate", world.item("account", &place).await),
    };
    let (client, before) = (world.actors[actor].0.clone(), world.server.dump());
    let letter = letter_of(&client.call("POST", &path, &[], None).await);
    let changed = world.server.dump() != before;
    assert_eq!(changed, letter == '+', "{action} {relation} {}: {letter}", ROLES[actor]);
    letter
}

#[tokio::test]
async fn rule_11_who_may_not_edit_something_may_not_tell_it_what_to_do() {
    let mut world = World::new().await;
    let mut wrong = Vec::new();
    for (action, relation, expected) in ACTIONS {
        let mut found = Vec::new();
        for actor in 0..ROLES.len() {
            found.push(letter(&mut world, actor, action, relation).await.to_string());
        }
        let found = found.join(" ");
        if found != *expected {
            wrong.push(format!("{action} {relation}: expected {expected}, found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
