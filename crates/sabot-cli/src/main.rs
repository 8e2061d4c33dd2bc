//! The `sabot` command: Kafka topics as tables, Parquet, Arrow, CSV and JSON.
//!
//! This crate decodes nothing: it turns flags into the facade's builder, batches into bytes, and
//! failures into exit statuses. Rows go to stdout or a file; everything else (progress, bad
//! messages, summaries) goes to stderr, so that output can always be piped.
#![forbid(unsafe_code)]

mod args;
mod cat;
mod completions;
mod conf;
mod console;
mod consume;
mod demo;
mod failure;
mod interrupt;
mod list;
mod offset;
mod output;
mod schema;
mod serde;
mod serve;
mod types;
mod waiting;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, RegistryCommand};
use failure::Failure;

/// librdkafka allocates each message on one thread and frees it on another, and calls C's `malloc`
/// for it: mimalloc is built to stand in for that too, and both halves of the work get cheaper.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    console::log_to_stderr(cli.verbose);
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                console::note(format_args!("sabot: {}", console::harmless_lines(message)));
            }
            failure.status()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let color = console::stdout_colors(cli.color);
    match &cli.command {
        Command::Consume(args) => consume::run(args, color),
        Command::Cat(args) => cat::run(args, color),
        Command::List(args) => list::run(args, color),
        Command::Schema(args) => schema::run(args),
        Command::Registry(RegistryCommand::Serve { listen }) => serve::run(*listen),
        Command::Demo(args) => demo::run(args, color),
        Command::Completions(args) => completions::run(args),
    }
}
