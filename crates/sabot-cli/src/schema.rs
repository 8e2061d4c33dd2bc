//! `sabot schema`: a registry's subjects, versions, schemas and settings.

use std::io::Read;
use std::path::Path;

use sabot::decode::WriterSchema;
use sabot::registry::{Client, Deleted, Deletion};
use sabot::schema::{RegisteredSchema, Schema, SchemaKey, SchemaKind, Subject, VersionSpec};
use serde::Serialize;

use crate::args::{KindArg, SchemaArgs, SchemaCommand, SchemaFileArgs};
use crate::failure::Failure;
use crate::{conf, console, output};

/// Runs the command.
pub(crate) fn run(args: &SchemaArgs) -> Result<(), Failure> {
    let client = conf::registry_alone(&args.registry, &args.config)?;
    match &args.command {
        SchemaCommand::Subjects { prefix, deleted } => {
            let subjects = client.subjects(prefix, listed(*deleted)).map_err(failed)?;
            lines(&subjects)
        }
        SchemaCommand::Versions { subject, deleted } => {
            let versions = client
                .versions(&subject.as_str().into(), listed(*deleted))
                .map_err(failed)?;
            lines(&versions)
        }
        SchemaCommand::Get {
            subject,
            version,
            id,
            json,
        } => get(&client, subject.as_deref(), *version, *id, *json),
        SchemaCommand::Register { subject, schema } => register(&client, &subject.as_str().into(), schema),
        SchemaCommand::Check {
            subject,
            schema,
            version,
        } => check(&client, &subject.as_str().into(), schema, *version),
        SchemaCommand::Config { subject, set, unset } => {
            let subject = subject.as_deref().map(Subject::from);
            let level = match (set, unset) {
                (Some(level), _) => client.set_compatibility(subject.as_ref(), *level),
                (None, true) => client
                    .delete_compatibility(subject.as_ref())
                    .and_then(|()| client.compatibility(subject.as_ref())),
                (None, false) => client.compatibility(subject.as_ref()),
            };
            lines(&[level.map_err(failed)?])
        }
        SchemaCommand::Delete {
            subject,
            version,
            permanent,
        } => {
            let deletion = if *permanent {
                Deletion::Hard
            } else {
                Deletion::Soft
            };
            let subject = subject.as_str().into();
            let deleted = match version {
                Some(version) => vec![
                    client
                        .delete_version(&subject, *version, deletion)
                        .map_err(failed)?,
                ],
                None => client.delete_subject(&subject, deletion).map_err(failed)?,
            };
            lines(&deleted)
        }
    }
}

fn get(
    client: &Client,
    subject: Option<&str>,
    version: VersionSpec,
    id: Option<u32>,
    as_json: bool,
) -> Result<(), Failure> {
    if let Some(id) = id {
        let schema = client.fetch(SchemaKey::Id(id)).map_err(failed)?;
        if as_json {
            return print_json(&Shown {
                subject: None,
                version: None,
                id,
                guid: None,
                schema_type: schema.kind.name(),
                references: Vec::new(),
                schema: &schema.text,
            });
        }
        return print_schema(schema.kind, &schema.text);
    }
    let subject = subject.unwrap_or_default().into();
    let found = client
        .version(&subject, version, Deleted::Exclude)
        .map_err(failed)?;
    if as_json {
        print_json(&shown(&found))
    } else {
        print_schema(found.schema.kind, &found.schema.text)
    }
}

fn register(client: &Client, subject: &Subject, file: &SchemaFileArgs) -> Result<(), Failure> {
    let registered = client
        .register(subject, &read(file)?, file.normalize)
        .map_err(failed)?;
    lines(&[registered.id.0])
}

fn check(
    client: &Client,
    subject: &Subject,
    file: &SchemaFileArgs,
    version: Option<VersionSpec>,
) -> Result<(), Failure> {
    let schema = read(file)?;
    let answer = match client.check_compatibility(subject, version, &schema, file.normalize) {
        Err(error) if error.status() == Some(404) && has_nothing_to_check(client, subject, version) => {
            return check_alone(subject, &schema, file);
        }
        answer => answer.map_err(failed)?,
    };
    if answer.is_compatible {
        return lines(&["compatible"]);
    }
    lines(&["incompatible"])?;
    if answer.messages.is_empty() {
        console::note("the registry gives no reasons");
    }
    for message in &answer.messages {
        console::note(console::harmless(message));
    }
    Err(Failure::Silent)
}

/// What nobody has to be compatible with is compatible, if it is a schema at all.
fn check_alone(subject: &Subject, schema: &Schema, file: &SchemaFileArgs) -> Result<(), Failure> {
    let subject = console::harmless(&subject.to_string());
    let is_whole_avro = schema.kind == SchemaKind::Avro && schema.references.is_empty();
    if is_whole_avro {
        let writer = WriterSchema::avro(&*schema.text);
        sabot::avro::canonical_form(&writer).map_err(|error| {
            Failure::because(format_args!("{} is no Avro schema", file.file.display()), &error)
        })?;
    }
    let rest = if is_whole_avro {
        "any schema is compatible"
    } else {
        "the schema itself was not checked"
    };
    console::note(format_args!("subject {subject} has no versions yet: {rest}"));
    lines(&["compatible"])
}

/// Whether the subject does not exist yet. Confluent's registry calls any schema compatible with
/// it; others say that they do not find it.
fn has_nothing_to_check(client: &Client, subject: &Subject, version: Option<VersionSpec>) -> bool {
    if matches!(version, Some(VersionSpec::Exact(_))) {
        return false;
    }
    match client.versions(subject, Deleted::Exclude) {
        Ok(versions) => versions.is_empty(),
        Err(error) => error.is_not_found(),
    }
}

fn read(args: &SchemaFileArgs) -> Result<Schema, Failure> {
    let mut text = String::new();
    if args.file == Path::new("-") {
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::io("cannot read standard input", &error))?;
    } else {
        text = std::fs::read_to_string(&args.file)
            .map_err(|error| Failure::io(format_args!("cannot read {}", args.file.display()), &error))?;
    }
    let kind = match args.kind {
        Some(KindArg::Avro) => SchemaKind::Avro,
        Some(KindArg::Protobuf) => SchemaKind::Protobuf,
        Some(KindArg::Json) => SchemaKind::Json,
        None if args
            .file
            .extension()
            .is_some_and(|extension| extension == "proto") =>
        {
            SchemaKind::Protobuf
        }
        None => SchemaKind::Avro,
    };
    Ok(Schema::new(kind, text).with_references(args.references.iter().cloned()))
}

/// A schema that is JSON is printed with indents; any other as it is.
fn print_schema(kind: SchemaKind, text: &str) -> Result<(), Failure> {
    let is_json = kind != SchemaKind::Protobuf && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let shown = if is_json {
        indented(text)
    } else {
        text.trim_end().to_owned()
    };
    output::print(format!("{shown}\n").as_bytes())
}

/// Well-formed JSON with line breaks and indents. Nothing else changes: not the order of members,
/// not a number's digits.
fn indented(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped, mut fresh) = (0_usize, false, false, false);
    for c in json.chars() {
        if quoted {
            shown.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        if matches!(c, ']' | '}') {
            depth = depth.saturating_sub(1);
            if !fresh {
                break_line(&mut shown, depth);
            }
        } else if fresh {
            break_line(&mut shown, depth);
        }
        fresh = matches!(c, '[' | '{');
        shown.push(c);
        match c {
            '[' | '{' => depth += 1,
            ',' => break_line(&mut shown, depth),
            ':' => shown.push(' '),
            '"' => quoted = true,
            _ => {}
        }
    }
    shown
}

fn break_line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth));
}

/// What `get --json` prints of a version: the members of the registry's own answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i32>,
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    guid: Option<String>,
    schema_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<ShownReference<'a>>,
    schema: &'a str,
}

#[derive(Serialize)]
struct ShownReference<'a> {
    name: &'a str,
    subject: &'a str,
    version: i32,
}

fn shown(found: &RegisteredSchema) -> Shown<'_> {
    let references = found.schema.references.iter().map(|reference| ShownReference {
        name: &reference.name,
        subject: &reference.subject,
        version: reference.version.to_i32(),
    });
    Shown {
        subject: Some(found.subject.to_string()),
        version: Some(VersionSpec::from(found.version).to_i32()),
        id: found.id.0,
        guid: Some(found.guid.to_string()),
        schema_type: found.schema.kind.name(),
        references: references.collect(),
        schema: &found.schema.text,
    }
}

fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::because("cannot write JSON", &error))?;
    output::print(format!("{text}\n").as_bytes())
}

fn lines<T: std::fmt::Display>(items: &[T]) -> Result<(), Failure> {
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    output::print(text.as_bytes())
}

fn listed(deleted: bool) -> Deleted {
    if deleted {
        Deleted::Include
    } else {
        Deleted::Exclude
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn failed(error: sabot::registry::Error) -> Failure {
    Failure::failed(sabot::with_causes(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_otherwise_unchanged() {
        for (json, shown) in [
            (r#""string""#, r#""string""#),
            ("[]", "[]"),
            ("{ }", "{}"),
            (r#"{"b":1,"a":[]}"#, "{\n  \"b\": 1,\n  \"a\": []\n}"),
            (r#"["a, \" {", 1.50]"#, "[\n  \"a, \\\" {\",\n  1.50\n]"),
            (r#"["\\",1]"#, "[\n  \"\\\\\",\n  1\n]"),
        ] {
            assert_eq!(indented(json), shown, "{json}");
        }
    }
}
