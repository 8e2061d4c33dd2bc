//! Completion scripts and manual pages, made from the command line's definition.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::{Cli, CompletionTarget, CompletionsArgs};
use crate::failure::Failure;
use crate::output;

/// Prints what `args` ask for.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let shell = match args.target {
        CompletionTarget::Bash => Shell::Bash,
        CompletionTarget::Elvish => Shell::Elvish,
        CompletionTarget::Fish => Shell::Fish,
        CompletionTarget::Powershell => Shell::PowerShell,
        CompletionTarget::Zsh => Shell::Zsh,
        CompletionTarget::Man => return man(),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sabot", &mut script);
    output::print(&script)
}

fn man() -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    page(&command, &mut pages)?;
    output::print(&pages)
}

fn page(command: &Command, pages: &mut Vec<u8>) -> Result<(), Failure> {
    let rendered = clap_mangen::Man::new(command.clone()).render(pages);
    rendered.map_err(|error| Failure::io("cannot write the manual page", &error))?;
    let shown = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    shown.into_iter().try_for_each(|sub| page(sub, pages))
}
