//! What the S3 endpoint does in a second, as ratios to floors that are measured in the same run: writing the same bytes
//! to plain files and fsyncing them, and reading a file through plain hyper. `make bench-server`.
//!
//! Needs `STOREKEEPER_BIN`, an optimized build. Everything is on loopback, without TLS; the data lies below
//! `STOREKEEPER_BENCH_DIR` (default: the target folder), on the same file system as the floor's files. The stores of
//! `STOREKEEPER_BENCH_BESIDE` (JSON, a list of [`client::Place`]) are asked for the same, one after the other.

// A program for people to read, not a part of the product.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod client;
mod floor;
mod measure;
mod server;

use client::{Client, Place};
use measure::{Figures, run};
use server::{Keys, Server};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const SMALL: usize = 4 << 10;
const LARGE: usize = 8 << 20;
const CLIENTS: [usize; 3] = [1, 8, 64];

/// A bar that must be held: what, the figure, and the least (or most) that it must be.
struct Bar {
    what: &'static str,
    found: f64,
    limit: f64,
    least: bool,
}

impl Bar {
    fn holds(&self) -> bool {
        if self.least { self.found >= self.limit } else { self.found <= self.limit }
    }
}

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().expect("nobody chose one before");
    // `cargo bench` passes options for a harness that is not used here.
    let seconds = std::env::var("STOREKEEPER_BENCH_SECONDS").ok().and_then(|text| text.parse().ok());
    let time = Duration::from_secs_f64(seconds.unwrap_or(4.0));
    let base =
        std::env::var_os("STOREKEEPER_BENCH_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder = tempfile::Builder::new().prefix("bench-server").tempdir_in(base).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let bars = runtime.block_on(measure_all(folder.path(), time));
    println!();
    let mut held = true;
    for bar in &bars {
        let (sign, verdict) =
            (if bar.least { "≥" } else { "≤" }, if bar.holds() { "holds" } else { "MISSED" });
        println!("{:<52} {:>8.2}  {sign} {:<6} {verdict}", bar.what, bar.found, bar.limit);
        held &= bar.holds();
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure_all(folder: &Path, time: Duration) -> Vec<Bar> {
    let server = Server::start(folder).await;
    let idle = server.resident_mib();
    let stores = stores(&server);
    let processors = std::thread::available_parallelism().unwrap();
    println!("{processors} processors, {} s for each line\n", time.as_secs_f64());
    println!("{:<28} {:>8} {:>12} {:>10} {:>9}", "", "clients", "per second", "p99 ms", "of floor");
    let mut bars = vec![Bar { what: "idle RSS, MiB", found: idle, limit: 30.0, least: false }];
    let small = puts("PUT 4 KiB", SMALL, folder, &stores, time).await;
    let what = "PUT 4 KiB at 8 clients, of the fsync floor";
    bars.push(Bar { what, found: small, limit: 0.5, least: true });
    puts("PUT 8 MiB", LARGE, folder, &stores, time).await;
    gets("GET 4 KiB", SMALL, folder, &stores, time).await;
    let large = gets("GET 8 MiB", LARGE, folder, &stores, time).await;
    bars.push(Bar { what: "GET 8 MiB at 8 clients, of plain hyper", found: large, limit: 0.6, least: true });
    lists(&stores, time).await;
    keys(&server.keys, time).await;
    drop(server);
    let most = upload_of_five_gib(&folder.join("upload")).await;
    let what = "peak RSS while 5 GiB go up in one PUT, MiB";
    bars.push(Bar { what, found: most, limit: 64.0, least: false });
    bars
}

/// The server that is measured, and then those beside it.
fn stores(server: &Server) -> Vec<Arc<Client>> {
    let beside = std::env::var("STOREKEEPER_BENCH_BESIDE").unwrap_or_else(|_| "[]".to_owned());
    let beside: Vec<Place> = serde_json::from_str(&beside).expect("STOREKEEPER_BENCH_BESIDE");
    std::iter::once(server.place.clone()).chain(beside).map(|place| Arc::new(Client::new(place))).collect()
}

/// Writes objects of that size; the first store's ratio to the floor at 8 clients.
async fn puts(name: &str, size: usize, folder: &Path, stores: &[Arc<Client>], time: Duration) -> f64 {
    let data = bytes::Bytes::from(vec![7_u8; size]);
    let mut at_eight = Vec::new();
    for clients in CLIENTS {
        let floor = floor::write_and_sync(&folder.join("floor"), &data, clients, time);
        row(&format!("{name}: write and fsync"), clients, &floor, None);
        for store in stores {
            let (client, data) = (Arc::clone(store), data.clone());
            let figures = run(clients, time, move |worker, number| {
                let (client, data) = (Arc::clone(&client), data.clone());
                async move { client.put(&format!("{size}/{worker}/{}", number % 16), data).await }
            })
            .await;
            row(&format!("  {}", store.name()), clients, &figures, Some(&floor));
            at_eight.extend((clients == 8).then(|| figures.of(&floor)));
        }
    }
    at_eight[0]
}

/// Reads objects of that size; the first store's ratio to the floor at 8 clients.
async fn gets(name: &str, size: usize, folder: &Path, stores: &[Arc<Client>], time: Duration) -> f64 {
    let file = folder.join(format!("plain-{size}"));
    std::fs::write(&file, vec![7_u8; size]).unwrap();
    let plain = Arc::new(floor::Hyper::serve(file).await);
    let mut at_eight = Vec::new();
    for clients in CLIENTS {
        let reader = Arc::clone(&plain);
        let floor = run(clients, time, move |_, _| {
            let reader = Arc::clone(&reader);
            async move { reader.get(size).await }
        })
        .await;
        row(&format!("{name}: plain hyper"), clients, &floor, None);
        for store in stores {
            let client = Arc::clone(store);
            let figures = run(clients, time, move |_, _| {
                let client = Arc::clone(&client);
                async move { client.get(&format!("{size}/0/0"), size).await }
            })
            .await;
            row(&format!("  {}", store.name()), clients, &figures, Some(&floor));
            at_eight.extend((clients == 8).then(|| figures.of(&floor)));
        }
    }
    at_eight[0]
}

async fn lists(stores: &[Arc<Client>], time: Duration) {
    for clients in CLIENTS {
        for store in stores {
            let client = Arc::clone(store);
            let list = move |_, _| {
                let client = Arc::clone(&client);
                async move { client.list().await }
            };
            let name = format!("LIST, {}", store.name());
            row(&name, clients, &run(clients, time, list).await, None);
        }
    }
}

async fn keys(keys: &Keys, time: Duration) {
    for clients in CLIENTS {
        let keys = keys.clone();
        let make = move |_, _| {
            let keys = keys.clone();
            async move { keys.make().await }
        };
        row("make an access key", clients, &run(clients, time, make).await, None);
    }
}

/// MiB that a server has at most while one object of 5 GiB arrives, and nothing came before it.
async fn upload_of_five_gib(folder: &Path) -> f64 {
    std::fs::create_dir_all(folder).unwrap();
    let server = Server::start(folder).await;
    let uploading = Client::new(server.place.clone());
    let mut upload = tokio::spawn(async move { uploading.put_zeros("huge", 5 << 30).await });
    let mut most = server.resident_mib();
    loop {
        match tokio::time::timeout(Duration::from_millis(100), &mut upload).await {
            Ok(ended) => break ended.expect("the upload"),
            Err(_) => most = most.max(server.resident_mib()),
        }
    }
    most
}

/// Prints a line, with the ratio to the floor where there is one.
fn row(name: &str, clients: usize, figures: &Figures, floor: Option<&Figures>) {
    let ratio = floor.map_or(String::new(), |floor| format!("{:.2}", figures.of(floor)));
    let Figures { per_second, p99 } = figures;
    println!("{name:<28} {clients:>8} {per_second:>12.1} {:>10.2} {ratio:>9}", p99.as_secs_f64() * 1000.0);
}
