//! kcat's configuration file: a librdkafka property a line.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, io};

use sabot::kafka::Properties;

use crate::args::{ConnectionArgs, Property, RegistryArgs};
use crate::failure::Failure;

/// Where to connect to, from flags, environment and file; flags win.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) brokers: String,
    pub(crate) properties: Properties,
    /// What the file says of a registry.
    pub(crate) registry: Option<String>,
}

impl Connection {
    /// Puts it together.
    pub(crate) fn new(args: &ConnectionArgs) -> Result<Self, Failure> {
        let mut all = read(args.config.as_deref())?;
        all.extend(args.properties.iter().cloned());
        let mut properties = Properties::default();
        let (mut brokers, mut registry) = (None, None);
        for Property { name, value } in all {
            match name.as_str() {
                "bootstrap.servers" | "metadata.broker.list" => brokers = Some(value),
                "schema.registry.url" => registry = Some(value),
                _ => drop(properties.set(name, value)),
            }
        }
        let brokers =
            args.brokers.clone().or(brokers).ok_or_else(|| {
                Failure::usage("no broker is given: use -b HOST:PORT, or set SABOT_BROKERS")
            })?;
        Ok(Self {
            brokers,
            properties,
            registry,
        })
    }
}

/// A client of the registry, if one is given. `fallback` is the configuration file's.
pub(crate) fn registry(
    args: &RegistryArgs,
    fallback: Option<&str>,
) -> Result<Option<sabot::registry::Client>, Failure> {
    let Some(url) = args.registry.as_deref().or(fallback) else {
        return Ok(None);
    };
    let mut builder = sabot::registry::Client::builder([url])
        .deadline(Duration::from_secs(args.registry_timeout))
        .proxy_from_env();
    if let Some(token) = &args.registry_token {
        builder = builder.bearer(token);
    }
    if let Some(credentials) = &args.registry_user {
        let (user, password) = credentials
            .split_once(':')
            .ok_or_else(|| Failure::usage("--registry-user expects USER:PASSWORD"))?;
        builder = builder.basic_auth(user, password);
    }
    builder
        .build()
        .map(Some)
        .map_err(|error| Failure::usage(crate::failure::chain(&error)))
}

fn read(explicit: Option<&Path>) -> Result<Vec<Property>, Failure> {
    let (path, required) = match explicit {
        Some(path) if path == Path::new("none") => return Ok(Vec::new()),
        Some(path) => (path.to_owned(), true),
        None => match default_path() {
            Some(path) => (path, false),
            None => return Ok(Vec::new()),
        },
    };
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text)
            .map_err(|line| Failure::usage(format!("{}: line {line} is not NAME=VALUE", path.display()))),
        Err(error) if !required && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::usage(format!("cannot read {}: {error}", path.display()))),
    }
}

fn default_path() -> Option<PathBuf> {
    if let Some(path) = env::var_os("KCAT_CONFIG") {
        return Some(path.into());
    }
    Some(
        PathBuf::from(env::var_os("HOME")?)
            .join(".config")
            .join("kcat.conf"),
    )
}

/// The properties; or the number of the line that is none. The line itself may hold a secret.
fn parse(text: &str) -> Result<Vec<Property>, usize> {
    let mut properties = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(at + 1)?;
        properties.push(Property {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        });
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_kcat_reads_them() {
        let properties = parse("# comment\n\n client.id = x \nssl.key=a=b\n").unwrap();
        let pairs: Vec<_> = properties
            .iter()
            .map(|p| (p.name.as_str(), p.value.as_str()))
            .collect();
        assert_eq!(pairs, [("client.id", "x"), ("ssl.key", "a=b")]);
        assert_eq!(parse("a=1\nsecret\n").unwrap_err(), 2);
    }
}
