//! storekeeper: storage tenants, users, access keys and buckets as Kubernetes resources, with every generated secret
//! written into a Kubernetes Secret exactly once.
//!
//! Seven rooms; arrows go one way: `cli` → `operator`, `server`; `plugin` → `api`, `operator`; `operator` → `api`, `provider`;
//! `provider` → `wire`; `server` → `wire`. `operator` and `server` know nothing of each other.
//!
//! * [`cli`]: one file per sub-command.
//! * [`plugin`]: `kubectl storekeeper`: how things stand, for people.
//! * [`api`]: the five resources: what a user writes.
//! * [`operator`]: the controllers: observe, plan, act.
//! * [`provider`]: what an object store's management API can be asked to do, and who can be asked.
//! * [`wire`]: the management API's JSON, shared by our server and our client.
//! * [`server`]: the reference management server and its S3 data plane.
//! * [`clock`]: the only place that reads the time; [`telemetry`]: the only place that sets up logging;
//!   [`hex`]: bytes as digits, and back.

pub mod api;
pub mod cli;
pub mod clock;
pub mod hex;
pub mod operator;
pub mod plugin;
pub mod provider;
pub mod server;
pub mod telemetry;
pub mod wire;
