//! The client of Ceph's object gateway against a real one. `make test-providers` starts the gateway and runs this;
//! without a gateway every test here fails and says so.

// All of this file is a test, helpers included.
#![cfg(test)]

#[path = "ceph_rgw/buckets.rs"]
mod buckets;
#[path = "ceph_rgw/cut.rs"]
mod cut;
#[path = "ceph_rgw/gateway.rs"]
mod gateway;
#[path = "../src/hex.rs"]
#[allow(dead_code)] // of which the signer takes one half
mod hex;
#[path = "ceph_rgw/keys.rs"]
mod keys;
#[path = "../src/provider/ceph_rgw/sign.rs"]
mod sign;
#[path = "ceph_rgw/suspension.rs"]
mod suspension;
#[path = "ceph_rgw/traps.rs"]
mod traps;
#[path = "ceph_rgw/users.rs"]
mod users;

/// What the signer takes from the library.
mod wire {
    pub use storekeeper::wire::ShownSecret;
}
