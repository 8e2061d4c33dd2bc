//! The command line of `sabot schema`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use sabot::schema::{CompatibilityLevel, InvalidVersion, Reference, VersionSpec};

use super::{ConfigArgs, RegistryArgs, at_least};

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,

    #[command(subcommand)]
    pub(crate) command: SchemaCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// List subjects.
    Subjects {
        /// Only subjects that begin so.
        #[arg(default_value = "", hide_default_value = true)]
        prefix: String,
        /// Deleted ones as well.
        #[arg(long)]
        deleted: bool,
    },
    /// List a subject's versions.
    Versions {
        subject: String,
        /// Deleted ones as well.
        #[arg(long)]
        deleted: bool,
    },
    /// Print a schema.
    Get {
        #[arg(required_unless_present = "id")]
        subject: Option<String>,
        /// A version number, or latest.
        #[arg(default_value = "latest", value_parser = version)]
        version: VersionSpec,
        /// The schema of this id instead.
        #[arg(long, conflicts_with = "subject", value_parser = at_least(0_u32))]
        id: Option<u32>,
        /// The whole record as JSON: subject, version, id, type, references, schema.
        #[arg(short = 'J', long)]
        json: bool,
    },
    /// Register a schema; prints its id.
    Register {
        subject: String,
        #[command(flatten)]
        schema: SchemaFileArgs,
    },
    /// Ask whether a schema is compatible; fails and says why if it is not.
    Check {
        subject: String,
        #[command(flatten)]
        schema: SchemaFileArgs,
        /// Only with this version. [default: those that the subject's level asks for]
        #[arg(long, value_name = "VERSION", value_parser = version)]
        version: Option<VersionSpec>,
    },
    /// Show or change the compatibility level, of a subject or of all.
    Config {
        subject: Option<String>,
        /// NONE, BACKWARD, FORWARD, FULL, or one of the last three with _TRANSITIVE.
        #[arg(long, value_name = "LEVEL", conflicts_with = "unset")]
        set: Option<CompatibilityLevel>,
        /// Go back to the default.
        #[arg(long)]
        unset: bool,
    },
    /// Delete a subject, or one version of it.
    Delete {
        subject: String,
        #[arg(value_parser = version)]
        version: Option<VersionSpec>,
        /// For good; only what was deleted before.
        #[arg(long)]
        permanent: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SchemaFileArgs {
    /// The file with the schema; - is stdin.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// The schema's language. [default: by the file's extension, else avro]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<KindArg>,

    /// A schema that it refers to, NAME=SUBJECT:VERSION. May be repeated.
    #[arg(long = "reference", value_name = "NAME=SUBJECT:VERSION", value_parser = reference)]
    pub(crate) references: Vec<Reference>,

    /// Let the registry bring it into a standard form first.
    #[arg(long)]
    pub(crate) normalize: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    Avro,
    Protobuf,
    Json,
}

fn version(text: &str) -> Result<VersionSpec, String> {
    text.parse().map_err(|error: InvalidVersion| error.to_string())
}

fn reference(text: &str) -> Result<Reference, String> {
    let parse = || {
        let (name, rest) = text.split_once('=')?;
        let (subject, version) = rest.rsplit_once(':')?;
        let VersionSpec::Exact(version) = version.parse().ok()? else {
            return None;
        };
        Some(Reference::new(name, subject, version))
    };
    parse().ok_or_else(|| "expected NAME=SUBJECT:VERSION with a version number".to_owned())
}
