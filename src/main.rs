//! The `storekeeper` binary: parse the command line, run it, map the outcome to an exit code.
use clap::Parser as _;
use std::process::ExitCode;
use zeroizing_alloc::ZeroAlloc;

/// Memory is zeroed when it is freed: of a secret, the buffers of HTTP, TLS and JSON hold copies that are not ours to zero.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    storekeeper::cli::run(storekeeper::cli::Cli::parse())
}
