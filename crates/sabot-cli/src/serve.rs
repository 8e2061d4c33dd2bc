//! `sabot registry serve`: the in-memory registry, until interrupted.

use std::net::SocketAddr;
use std::time::Duration;

use sabot_registry_server::{Server, ServerOptions};

use crate::console::note;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

/// Runs the command. It prints the URL alone to stdout, so that a script can read it.
pub(crate) fn run(listen: SocketAddr) -> Result<(), Failure> {
    let interrupt = Interrupt::catch()?;
    let server = Server::start(ServerOptions::default().with_address(listen))
        .map_err(|error| Failure::because(format_args!("cannot listen on {listen}"), &error))?;
    output::print(format!("{}\n", server.url()).as_bytes())?;
    if !listen.ip().is_loopback() {
        note("sabot: everyone who reaches this address can change schemas");
    }
    note("sabot: serving schemas from memory; nothing is kept. Ctrl-C ends it.");
    while !interrupt.is_set() {
        std::thread::sleep(Duration::from_millis(50));
    }
    server.shutdown();
    Err(Failure::Interrupted)
}
