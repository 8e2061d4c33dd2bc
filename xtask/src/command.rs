//! Running other programs, and the one error of every chore.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The result of a chore.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a chore failed, in words for the one who called it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    exit_code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: 1,
        }
    }

    /// The program `name` ended with `status`: its exit code is passed on.
    pub(crate) fn from_status(name: &str, status: ExitStatus) -> Self {
        let exit_code = status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .filter(|code| *code != 0);
        Self {
            message: format!("{name} failed: {status}"),
            exit_code: exit_code.unwrap_or(1),
        }
    }

    /// `doing` says what was attempted.
    pub(crate) fn io(doing: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::new(format!("{doing}: {error}"))
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask/ lies in the repository's root")
}

/// The folder for everything that is built or downloaded.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// `cargo ARGS`, run in the root with the toolchain that runs this.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs `command` to its end and shows it first.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let name = shown(command);
    println!("$ {name}");
    let status = command
        .status()
        .map_err(Failure::io(format_args!("cannot start {name}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::from_status(&name, status))
    }
}

/// Runs `command` quietly and gives its standard output.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let name = shown(command);
    let output = command
        .output()
        .map_err(Failure::io(format_args!("cannot start {name}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("{name} failed: {}\n{said}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("{name} printed something that is not text")))
}

/// Fails with `how_to_get` unless `program ARGS` can be started and succeeds.
pub(crate) fn require(program: &str, args: &[&str], how_to_get: &str) -> Outcome {
    match Command::new(program).args(args).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Failure::new(format!(
                "{program} does not work ({}): {}. {how_to_get}",
                output.status,
                said.trim()
            )))
        }
        Err(error) => Err(Failure::new(format!(
            "{program} cannot be started ({error}). {how_to_get}"
        ))),
    }
}

fn shown(command: &Command) -> String {
    let mut text = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}
