//! Rules 10, 11 and 13 as one table: every role, every relation, every action, on everything there is.
//!
//! A row is a kind of thing and where it is; its five groups are the roles Administrator, TenantAdministrator,
//! FullAccess, Backup and ReadOnly; the four letters of a group are read, create, edit and delete:
//! `+` done, `f` 403 forbidden, `-` 404, `b` 409 built in or the default, `u` 409 in use, `r` 422 a rule for everyone,
//! `.` there is no such thing to do. What is refused leaves the database as it was, but for the audit log.
//!
//! What may be read is in the list of its collection, and nothing else is.
//!
//! "own" is the role's own tenant: `administrator` for Administrator, the public tenant `home` for the others.
//! "oneself" is one's own user, one's own keys, buckets and jobs, and the account and the tenant that one is in.

mod actions;

use super::{Client, PASSWORD, Reply, Server, id, text};
use serde_json::{Value, json};
use std::collections::HashMap;

const ROLES: [&str; 5] = ["Administrator", "TenantAdministrator", "FullAccess", "Backup", "ReadOnly"];

#[rustfmt::skip] // a table
const TABLE: &[(&str, &str, &str)] = &[
    // thing       where            Admi Tena Full Back Read
    ("tenant",     "own",           "++bb -f-- -f-- -f-- -f--"),
    ("tenant",     "public",        "++++ -f-- -f-- -f-- -f--"),
    ("tenant",     "isolated",      "++++ -f-- -f-- -f-- -f--"),
    ("tenant",     "administrator", "++bb -f-- -f-- -f-- -f--"),
    ("tenant",     "oneself",       "+.bb -.-- -.-- -.-- -.--"),

    ("account",    "own",           "++++ ++++ -f-- -f-- -f--"),
    ("account",    "public",        "++++ ---- -f-- -f-- -f--"),
    ("account",    "isolated",      "-f-- ---- -f-- -f-- -f--"),
    ("account",    "administrator", "++++ ---- -f-- -f-- -f--"),
    ("account",    "oneself",       "+.+b +.+u -.-- -.-- -.--"),

    ("user",       "own",           "++++ ++++ -f-- -f-- -f--"),
    ("user",       "public",        "++++ ---- -f-- -f-- -f--"),
    ("user",       "isolated",      "++++ ---- -f-- -f-- -f--"),
    ("user",       "administrator", "++++ ---- -f-- -f-- -f--"),
    ("user",       "oneself",       "+.+r +.+r -.-- -.-- -.--"),

    // Tokens are made for oneself only, and never changed.
    ("token",      "own",           "+..+ +..+ -..- -..- -..-"),
    ("token",      "public",        "+..+ -..- -..- -..- -..-"),
    ("token",      "isolated",      "+..+ -..- -..- -..- -..-"),
    ("token",      "administrator", "+..+ -..- -..- -..- -..-"),
    ("token",      "oneself",       "++.+ ++.+ ++.+ ++.+ ++.+"),

    ("key",        "own",           "++++ ++++ +fff +fff +fff"),
    ("key",        "public",        "++++ ---- ---- ---- ----"),
    ("key",        "isolated",      "-f-- ---- ---- ---- ----"),
    ("key",        "administrator", "++++ ---- ---- ---- ----"),
    ("key",        "oneself",       "++++ ++++ ++++ +fff +fff"),

    ("bucket",     "own",           "++++ ++++ ++++ +fff +fff"),
    ("bucket",     "public",        "++++ ---- ---- ---- ----"),
    ("bucket",     "isolated",      "-f-- ---- ---- ---- ----"),
    ("bucket",     "administrator", "++++ ---- ---- ---- ----"),
    ("bucket",     "oneself",       "++++ ++++ ++++ +fff +fff"),

    ("Backup",     "own",           "++++ ++++ ++++ ++++ +fff"),
    ("Backup",     "public",        "++++ ---- ---- ---- ----"),
    ("Backup",     "isolated",      "-f-- ---- ---- ---- ----"),
    ("Backup",     "administrator", "++++ ---- ---- ---- ----"),
    ("Backup",     "oneself",       "++++ ++++ ++++ ++++ +fff"),

    ("Restore",    "own",           "++++ ++++ ++++ +fff +fff"),
    ("Restore",    "public",        "++++ ---- ---- ---- ----"),
    ("Restore",    "isolated",      "---- ---- ---- ---- ----"), // its Backup job is not there for who makes one
    ("Restore",    "administrator", "++++ ---- ---- ---- ----"),
    ("Restore",    "oneself",       "++++ ++++ ++++ +fff +fff"),

    ("EmptyBucket", "own",           "++++ ++++ ++++ +fff +fff"),
    ("EmptyBucket", "public",        "++++ ---- ---- ---- ----"),
    ("EmptyBucket", "isolated",      "-f-- ---- ---- ---- ----"),
    ("EmptyBucket", "administrator", "++++ ---- ---- ---- ----"),
    ("EmptyBucket", "oneself",       "++++ ++++ ++++ +fff +fff"),
];

/// Where something is: a tenant and a user of it, who owns the data.
#[derive(Clone)]
struct Place {
    tenant: String,
    visibility: &'static str,
    owner: String,
    permission: &'static str,
    backup: String,
    /// Someone who may do everything there.
    maker: Client,
    /// The owner, signed in.
    oneself: Client,
    /// What there is but once: the tenant where it is not to be a new one, and of "oneself" account and user.
    fixed: HashMap<&'static str, String>,
}

struct World {
    server: Server,
    /// By name: `administrator`, `home`, `other`, `hidden`.
    places: HashMap<&'static str, Place>,
    actors: Vec<(Client, Place)>,
    made: u32,
}

/// A user with two buckets and a Backup from one to the other, by someone who may make all that.
async fn place(
    maker: &Client,
    tenant: &str,
    visibility: &'static str,
    owner: &str,
    oneself: Client,
) -> Place {
    maker.bucket(owner, "src").await;
    let copy = json!({"userId": owner, "name": "dst", "versioning": "Enabled"});
    maker.post("/v1/buckets", copy).await.expect(201);
    let mut place = Place {
        tenant: tenant.to_owned(),
        visibility,
        owner: owner.to_owned(),
        permission: "Read",
        backup: String::new(),
        maker: maker.clone(),
        oneself,
        fixed: HashMap::new(),
    };
    place.backup = id(&maker.post("/v1/jobs", wish("Backup", &place, "").1).await.expect(201));
    place
}

/// How a new thing is made there.
fn wish(thing: &str, place: &Place, name: &str) -> (&'static str, Value) {
    let Place { tenant, owner, .. } = place;
    let bucket = |name: &str| json!({"userId": owner, "name": name});
    match thing {
        "tenant" => ("/v1/tenants", json!({"name": name, "visibility": place.visibility})),
        "account" => ("/v1/accounts", json!({"name": name, "tenantId": tenant})),
        "user" => ("/v1/users", json!({"login": name, "role": "FullAccess", "tenantId": tenant})),
        "token" => ("/v1/tokens", json!({"name": name, "scopes": ["read"]})),
        "key" => ("/v1/accessKeys", json!({"userId": owner, "permission": place.permission})),
        "bucket" => ("/v1/buckets", bucket(name)),
        "Backup" => ("/v1/jobs", json!({"kind": thing, "source": bucket("src"), "target": bucket("dst")})),
        "Restore" => ("/v1/jobs", json!({"kind": thing, "backupId": place.backup})),
        "EmptyBucket" => ("/v1/jobs", json!({"kind": thing, "source": bucket("src")})),
        _ => panic!("{thing}"),
    }
}

impl World {
    async fn new() -> Self {
        let server = Server::start().await;
        let admin = server.administrator().await;
        let built_in = text(&admin.items("/v1/tenants?name=administrator").await[0], "id");
        let default = text(&admin.items("/v1/accounts").await[0], "id");
        let mut places = HashMap::new();
        for (name, visibility) in
            [("administrator", "Public"), ("home", "Public"), ("other", "Public"), ("hidden", "Isolated")]
        {
            let tenant =
                if name == "administrator" { built_in.clone() } else { admin.tenant(name, visibility).await };
            let maker = match name {
                "hidden" => {
                    admin.user("hidden-ta", "TenantAdministrator", &tenant).await;
                    verified(&server, "hidden-ta").await
                }
                _ => admin.clone(),
            };
            let login = format!("owner-{name}");
            let owner = maker.user(&login, "FullAccess", &tenant).await;
            let oneself = server.sign_in(&login, PASSWORD).await;
            let mut place = place(&maker, &tenant, visibility, &owner, oneself).await;
            if name == "administrator" {
                place.fixed.insert("tenant", tenant);
            }
            places.insert(name, place);
        }
        let account = json!({"name": "home", "tenantId": places["home"].tenant});
        let home = id(&admin.post("/v1/accounts", account).await.expect(201));
        let mut actors = Vec::new();
        for role in ROLES {
            let (tenant, account) = match role {
                "Administrator" => (built_in.clone(), default.clone()),
                _ => (places["home"].tenant.clone(), home.clone()),
            };
            let body = json!({
                "login": role, "role": role, "tenantId": tenant, "accountId": account, "password": PASSWORD,
            });
            let user = id(&admin.post("/v1/users", body).await.expect(201));
            let client = verified(&server, role).await;
            let mut oneself = place(&admin, &tenant, "Public", &user, client.clone()).await;
            oneself.permission = if role == "Backup" { "Write" } else { "Read" };
            oneself.fixed = HashMap::from([("tenant", tenant), ("account", account), ("user", user)]);
            actors.push((client, oneself));
        }
        Self { server, places, actors, made: 0 }
    }

    fn place(&self, actor: usize, relation: &str) -> Place {
        let name = match (relation, actor) {
            ("oneself", _) => return self.actors[actor].1.clone(),
            ("own", 0) | ("administrator", _) => "administrator",
            ("own", _) => "home",
            ("public", _) => "other",
            ("isolated", _) => "hidden",
            _ => panic!("{relation}"),
        };
        let mut place = self.places[name].clone();
        if relation == "own" && actor != 0 {
            place.fixed.insert("tenant", place.tenant.clone());
        }
        place
    }

    fn fresh_name(&mut self) -> String {
        self.made += 1;
        format!("new-{}", self.made)
    }

    /// The path of something there: what there is but once, or a new one.
    async fn item(&mut self, thing: &'static str, place: &Place) -> String {
        if let Some(id) = place.fixed.get(thing) {
            return format!("/v1/{thing}s/{id}");
        }
        let (path, body) = wish(thing, place, &self.fresh_name());
        // Tenants are made by a global administrator wherever they are.
        let maker = match thing {
            "tenant" => &self.places["home"].maker,
            "token" => &place.oneself,
            _ => &place.maker,
        };
        let made = maker.post(path, body).await;
        let location = made.header("location");
        made.expect(201);
        location
    }

    async fn letter(&mut self, actor: usize, thing: &'static str, relation: &str, action: usize) -> char {
        let place = self.place(actor, relation);
        let nothing_to_do = match thing {
            "tenant" | "account" | "user" => action == 1 && relation == "oneself",
            "token" => action == 2 || (action == 1 && relation != "oneself"),
            _ => false,
        };
        if nothing_to_do {
            return '.';
        }
        let path = if action == 1 { String::new() } else { self.item(thing, &place).await };
        let name = self.fresh_name();
        let (client, before) = (self.actors[actor].0.clone(), self.server.dump());
        let reply = match action {
            0 => client.get(&path).await,
            1 => {
                let (path, body) = wish(thing, &place, &name);
                client.post(path, body).await
            }
            2 => {
                let change = if thing == "bucket" {
                    json!({"labels": {"a": "b"}})
                } else {
                    json!({"description": "x"})
                };
                client.patch(&path, change).await
            }
            _ => client.delete(&path).await,
        };
        let changed = self.server.dump() != before;
        let letter = letter_of(&reply);
        let may_change = letter == '+' && action != 0;
        assert_eq!(changed, may_change, "{thing} {relation} {} {action}: {letter}", ROLES[actor]);
        if action == 0 {
            let is_listed = listed(&client, &path).await;
            assert_eq!(is_listed, letter == '+', "{thing} {relation} {}: listed", ROLES[actor]);
        }
        letter
    }
}

/// Whether the list that an item is in has it.
async fn listed(client: &Client, path: &str) -> bool {
    let (collection, id) = path.trim_start_matches("/v1/").split_once('/').unwrap();
    let reply = client.get(&format!("/v1/{collection}?limit=1000")).await;
    let Some(items) = reply.body["items"].as_array() else {
        assert_eq!(reply.status, 403, "{}", reply.body);
        return false;
    };
    items.iter().any(|item| match collection {
        "buckets" => format!("{}/{}", text(item, "userId"), text(item, "name")) == id,
        "accessKeys" => text(item, "accessKeyId") == id,
        _ => text(item, "id") == id,
    })
}

fn letter_of(reply: &Reply) -> char {
    match (reply.status.as_u16(), reply.body["type"].as_str()) {
        (200 | 201 | 204, _) => '+',
        (403, Some("forbidden")) => 'f',
        (404, Some("not-found")) => '-',
        (409, Some("built-in")) => 'b',
        (409, Some("in-use")) => 'u',
        (422, Some("rule-violated")) => 'r',
        _ => panic!("{} {}", reply.status, reply.body),
    }
}

async fn verified(server: &Server, login: &str) -> Client {
    let client = server.sign_in(login, PASSWORD).await;
    client.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
    client
}

#[tokio::test]
async fn rule_11_every_role_in_every_relation_does_what_the_table_says_and_nothing_else() {
    let mut world = World::new().await;
    let mut wrong = Vec::new();
    for (thing, relation, expected) in TABLE {
        let mut groups = Vec::new();
        for actor in 0..ROLES.len() {
            let mut group = String::new();
            for action in 0..4 {
                group.push(world.letter(actor, thing, relation, action).await);
            }
            groups.push(group);
        }
        let found = groups.join(" ");
        if found != *expected {
            wrong.push(format!("{thing} {relation}: expected {expected}, found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rule_11_the_table_has_every_thing_in_every_relation() {
    let things = ["tenant", "account", "user", "token", "key", "bucket", "Backup", "Restore", "EmptyBucket"];
    let relations = ["own", "public", "isolated", "administrator", "oneself"];
    let cells: Vec<_> = TABLE.iter().map(|(thing, relation, _)| (*thing, *relation)).collect();
    let all = things.iter().flat_map(|thing| relations.map(|relation| (*thing, relation)));
    assert_eq!(cells, all.collect::<Vec<_>>());
    assert!(TABLE.iter().all(|(_, _, row)| row.split(' ').map(str::len).collect::<Vec<_>>() == [4; 5]));
}
