//! The command line, as clap sees it. Flags that kcat has mean what they mean there.

mod consume;
mod output;
mod schema;

use std::fmt;
use std::net::SocketAddr;
use std::num::{IntErrorKind, ParseIntError};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::console::Color;
use crate::failure::Failure;
use crate::types::TypeArg;

pub(crate) use consume::{
    ConsumeArgs, DecodingArgs, MessageFormatArgs, MetaArg, OnErrorArg, SourceArgs, TombstonesArg,
};
pub(crate) use output::OutputArgs;
pub(crate) use schema::{KindArg, SchemaArgs, SchemaCommand, SchemaFileArgs};

/// Kafka topics as tables, Parquet, Arrow, CSV and JSON.
#[derive(Debug, Parser)]
#[command(name = "sabot", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted. A closed pipe is no failure."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colours: on a terminal unless NO_COLOR is set, or as said here.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Log what the clients do to stderr; twice for more. Payloads and secrets are never logged.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read topics and write them as rows.
    Consume(Box<ConsumeArgs>),
    /// Read Avro's object container files and write them as rows.
    Cat(Box<CatArgs>),
    /// List brokers' topics and partitions with their offsets.
    List(ListArgs),
    /// Look into a schema registry, and change it.
    Schema(SchemaArgs),
    /// Run a schema registry.
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Show it all, on a broker and a registry inside this process.
    Demo(DemoArgs),
    /// Print a completion script for a shell, or the manual page.
    Completions(CompletionsArgs),
}

/// How to reach the brokers.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Brokers to begin with, HOST:PORT with commas between.
    #[arg(short, long, value_name = "BROKERS", env = "SABOT_BROKERS", value_hint = ValueHint::Hostname)]
    pub(crate) brokers: Option<String>,

    /// A property of librdkafka, such as security.protocol=sasl_ssl. May be repeated.
    #[arg(short = 'X', long = "property", value_name = "NAME=VALUE", value_parser = property)]
    pub(crate) properties: Vec<Property>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,

    /// Seconds to wait for a broker.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = at_least(0_u64))]
    pub(crate) timeout: u64,
}

/// Where the configuration file is.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// A file of librdkafka's properties and schema.registry.url, as kcat reads it; "none" reads no
    /// file. Without it, the first that exists of: sabot/sabot.conf in $XDG_CONFIG_HOME or in the
    /// home directory's .config; $KCAT_CONFIG, or kcat.conf in the latter.
    #[arg(short = 'F', long = "config", value_name = "FILE", env = "SABOT_CONFIG", global = true, value_hint = ValueHint::FilePath)]
    pub(crate) config_file: Option<PathBuf>,
}

/// A `NAME=VALUE`. Its value may be a secret: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=<hidden>", self.name)
    }
}

/// Text that is, or may hold, a secret: `Debug` hides it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}

/// How to reach the registry.
#[derive(Debug, Args)]
pub(crate) struct RegistryArgs {
    /// The schema registry. Several nodes with commas between.
    #[arg(short, long, value_name = "URL", env = "SABOT_REGISTRY", global = true, hide_env_values = true, value_hint = ValueHint::Url)]
    pub(crate) registry: Option<Secret>,

    /// Credentials for the registry, USER:PASSWORD. Better in the environment than here.
    #[arg(
        long,
        value_name = "USER:PASSWORD",
        env = "SABOT_REGISTRY_USER",
        global = true,
        hide_env_values = true
    )]
    pub(crate) registry_user: Option<Secret>,

    /// A bearer token for the registry. Better in the environment than here.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SABOT_REGISTRY_TOKEN",
        global = true,
        hide_env_values = true,
        conflicts_with = "registry_user"
    )]
    pub(crate) registry_token: Option<Secret>,

    /// Seconds that one question to the registry may take, repeated attempts included.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, global = true, value_parser = at_least(1_u64))]
    pub(crate) registry_timeout: u64,
}

/// `sabot cat`.
#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// Object container files, one after the other; - is stdin. The schema of the first is that of
    /// all rows.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Print the schema that each file was written with, and no rows.
    #[arg(long, conflicts_with_all = ["reader_schema", "select", "count", "output", "out"])]
    pub(crate) schema: bool,

    /// Resolve the rows onto the schema in this file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) reader_schema: Option<PathBuf>,

    /// Keep these fields alone, in this order, as paths such as id,customer.name. A name with a dot
    /// or comma in it is in double quotes: '"unit.price",id'.
    #[arg(long, visible_alias = "columns", value_name = "PATHS", value_parser = paths)]
    pub(crate) select: Vec<String>,

    #[command(flatten)]
    pub(crate) types: TypesArgs,

    /// Stop after so many rows.
    #[arg(short, long, value_name = "N", visible_alias = "limit", value_parser = at_least(1_u64))]
    pub(crate) count: Option<u64>,

    /// What becomes of rows and blocks that cannot be read.
    #[arg(long, value_name = "POLICY", default_value = "fail")]
    pub(crate) on_error: CatErrorArg,

    /// The most rows of a batch.
    #[arg(long, value_name = "N", default_value_t = 8192, value_parser = at_least(1_usize))]
    pub(crate) batch_rows: usize,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What to make of the values.
#[derive(Debug, Args)]
pub(crate) struct TypesArgs {
    /// With --select, read each Avro message to its end, and not only up to the last field kept.
    #[arg(long, requires = "select")]
    pub(crate) check_tail: bool,

    /// Arrow types where there is a choice, such as strings=utf8-view,enums=text: strings, bytes,
    /// enums, uuids, unions, wide-decimals, big-decimals, recursion, time-zone.
    #[arg(long, value_name = "KEY=TYPE", value_delimiter = ',', value_parser = TypeArg::parse)]
    pub(crate) types: Vec<TypeArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CatErrorArg {
    /// Stop at the first.
    Fail,
    /// Report them and go on.
    Skip,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// Only this topic, with a row for each partition. May be repeated.
    #[arg(short, long = "topic", value_name = "TOPIC")]
    pub(crate) topics: Vec<String>,

    /// Kafka's own topics as well.
    #[arg(short, long)]
    pub(crate) all: bool,

    /// JSON lines instead of a table. The default in a pipe.
    #[arg(short = 'J', long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Serve Confluent's API from memory until interrupted. For development: nothing is kept.
    Serve {
        /// The address and port to listen on; port 0 takes a free one.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081", value_parser = address)]
        listen: SocketAddr,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many Avro messages to produce.
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = demo_messages)]
    pub(crate) messages: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// What to print.
    pub(crate) target: CompletionTarget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletionTarget {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    /// The manual pages, one after the other.
    Man,
}

/// The text of a file that the command line names.
pub(crate) fn read_file(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

fn property(text: &str) -> Result<Property, String> {
    // The text is not repeated: it may hold a secret.
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok(Property {
        name: name.trim().to_owned(),
        value: value.to_owned(),
    })
}

/// Paths of `--select`, which are read here so that a malformed one is wrong usage.
fn paths(text: &str) -> Result<String, String> {
    let text = [text.to_owned()];
    sabot::codec::Projection::parse(Some(&text)).map_err(|error| error.to_string())?;
    let [text] = text;
    Ok(text)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let parsed = text.parse();
    parsed.map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8081".into())
}

fn demo_messages(text: &str) -> Result<u64, String> {
    let number = text.parse().ok();
    let in_range = number.filter(|number| (1_000..=2_000_000).contains(number));
    in_range.ok_or_else(|| "expected a whole number from 1,000 to 2,000,000, without commas".into())
}

/// Reads a whole number, `least` or more.
fn at_least<T>(least: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr<Err = ParseIntError> + PartialOrd + fmt::Display + Copy + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(number) if number >= least => Ok(number),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("the number is too large".into()),
        _ => Err(format!("expected a whole number, {least} or more")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn command_lines_are_read_or_refused() {
        for line in [
            "consume -b b:9092 -t orders -p 0 -o beginning -e -q",
            "consume -b b:9092 -t orders -o -5 -c 10 -J",
            "consume -b b:9092 -G group orders payments",
            "consume -b b:9092 -t orders -o s@1700000000000 -o e@2024-01-01T00:00:00Z",
            "consume -t orders -s key=s -s value=avro -r http://localhost:8081 -X client.id=x",
            "consume --brokers b --topic ^ord --offset end --exit --format %k:%s\\n",
            "consume -t a -O parquet --out x.parquet --rotate-rows 1000",
            "consume -t a --on-error dlq --dlq-topic bad",
            "consume -t a --meta-only -J --tombstones drop",
            "list -b b:9092 --json",
            "schema -r http://localhost:8081 get orders-value 3",
            "schema get --id 7 --registry-timeout 5",
            "consume -t a -s json-registry --registry-timeout 1",
            "schema check orders-value schema.avsc --version latest",
            "schema register s f --reference a.B=b-value:2",
            "registry serve --listen 127.0.0.1:0",
            "cat orders.avro - --select id,customer.name -c 5 --on-error skip -O csv",
            "cat --schema orders.avro",
            "demo",
            "completions fish",
        ] {
            Cli::try_parse_from(format!("sabot {line}").split(' '))
                .unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        for line in [
            "consume -t a -o sometimes",
            "consume -b b:9092 -t orders -C",
            "consume -t a -O parquet -J",
            "consume -t a --on-error dlq",
            "consume -t a --batch-rows 0",
            "consume -t a -X nonsense",
            "consume -t a -f %q",
            "consume -t a -s value=xml",
            "consume -t a --registry-timeout 0",
            "consume -t a --meta-only -s avro",
            "consume -t a --meta-only --select id",
            "consume -t a --meta-only --reader-schema x.avsc",
            "consume -t a --meta-only --subject s",
            "consume -t a --meta-only --schema-id 1",
            "consume -t a --meta-only --types strings=utf8",
            "consume -t a --meta-only --no-meta",
            "schema get",
            "cat",
            "cat x.avro -J",
            "cat x.avro --on-error dlq",
            "cat x.avro --schema -O csv",
            "demo --messages 5",
            "frobnicate",
        ] {
            let error = Cli::try_parse_from(format!("sabot {line}").split(' ')).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn command_lines_of_the_documentation_are_read() {
        let pages = [
            include_str!("../../../../README.md"),
            include_str!("../../../../docs/cli.md"),
            include_str!("../../../../docs/troubleshooting.md"),
        ];
        let mut read = 0;
        for line in pages.iter().flat_map(|page| page.lines()) {
            for words in line.strip_prefix("$ ").map(commands).unwrap_or_default() {
                if words[0] == "sabot" {
                    Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
                    read += 1;
                }
            }
        }
        assert!(read > 40, "{read}");
    }

    /// The words of the commands of a pipeline, as a shell has them; with numbers for what a reader
    /// is to fill in.
    fn commands(line: &str) -> Vec<Vec<String>> {
        let mut commands = vec![vec![String::new()]];
        let mut is_quoted = false;
        for c in line.chars() {
            let words = commands
                .last_mut()
                .expect("because there is one from the beginning");
            match c {
                '\'' => is_quoted = !is_quoted,
                '#' if !is_quoted && words.last().is_some_and(String::is_empty) => break,
                ' ' if !is_quoted => words.push(String::new()),
                '|' | '>' if !is_quoted => commands.push(vec![String::new()]),
                other => words
                    .last_mut()
                    .expect("because there is one from the beginning")
                    .push(other),
            }
        }
        for words in &mut commands {
            words.retain(|word| !word.is_empty());
            for word in words
                .iter_mut()
                .filter(|word| ["OFFSET", "PARTITION", "ID"].contains(&&***word))
            {
                *word = "7".to_owned();
            }
        }
        commands.retain(|words| !words.is_empty());
        commands
    }

    #[test]
    fn secrets_do_not_show() {
        for line in [
            "consume -t a -X sasl.password=hunter2",
            "consume -t a -r http://u:hunter2@x",
            "consume -t a --registry-user u:hunter2",
            "schema subjects --registry-token hunter2",
        ] {
            let cli = Cli::try_parse_from(format!("sabot {line}").split(' ')).unwrap();
            assert!(!format!("{cli:?}").contains("hunter2"), "{line}");
        }
    }
}
