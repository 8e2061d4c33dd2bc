//! The systems with the platform's allocator.

fn main() -> std::process::ExitCode {
    sabot_bench_e2e::run()
}
