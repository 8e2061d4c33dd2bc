//! The systems with the allocator that the `sabot` command has.

/// Its `override` feature is what reaches librdkafka, which calls C's `malloc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sabot_bench_e2e::run()
}
