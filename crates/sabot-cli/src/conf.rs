//! Where to connect to; and the configuration file, which is kcat's: a librdkafka property a line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io};

use sabot::kafka::Properties;

use crate::args::{ConfigArgs, ConnectionArgs, Property, RegistryArgs, Secret};
use crate::failure::Failure;

/// The one property of the file that is not librdkafka's.
const REGISTRY_URL: &str = "schema.registry.url";

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
        let mut all = read(&args.config)?;
        all.extend(args.properties.iter().cloned());
        let mut properties = Properties::default();
        let (mut brokers, mut registry) = (None, None);
        for Property { name, value } in all {
            match name.as_str() {
                "bootstrap.servers" | "metadata.broker.list" => brokers = Some(value),
                REGISTRY_URL => registry = Some(value),
                _ => drop(properties.set(name, value)),
            }
        }
        let brokers =
            args.brokers.clone().or(brokers).ok_or_else(|| {
                Failure::usage("no broker is given: use -b HOST:PORT, or set SABOT_BROKERS")
            })?;
        if let Some(broker) = brokers.split(',').find(|broker| !has_good_port(broker)) {
            return Err(Failure::usage(format!(
                "broker {broker:?}: the port is no number from 1 to 65535"
            )));
        }
        Ok(Self {
            brokers,
            properties,
            registry,
        })
    }
}

/// Whether the port of `[PROTOCOL://]HOST[:PORT]` is one, if there is any. librdkafka takes any
/// other for port 0, and the broker for one that does not answer.
fn has_good_port(broker: &str) -> bool {
    let address = broker.split_once("://").map_or(broker, |(_, address)| address);
    match address.trim().rsplit_once(':') {
        // The colons of an IPv6 address without a port.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => true,
        Some((_, port)) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => true,
    }
}

/// A client of the registry, for a command that asks no broker.
pub(crate) fn registry_alone(
    args: &RegistryArgs,
    config: &ConfigArgs,
) -> Result<sabot::registry::Client, Failure> {
    let mut properties = read(config)?.into_iter().rev();
    let configured = properties.find(|property| property.name == REGISTRY_URL);
    registry(args, configured.as_ref().map(|property| property.value.as_str()))?.ok_or_else(|| {
        Failure::usage("no registry is given: use -r URL, set SABOT_REGISTRY, or set schema.registry.url in the configuration file")
    })
}

/// A client of the registry, if one is given. `fallback` is the configuration file's.
pub(crate) fn registry(
    args: &RegistryArgs,
    fallback: Option<&str>,
) -> Result<Option<sabot::registry::Client>, Failure> {
    let Some(url) = args.registry.as_ref().map(Secret::reveal).or(fallback) else {
        return Ok(None);
    };
    let mut builder = sabot::registry::Client::builder([url])
        .deadline(Duration::from_secs(args.registry_timeout))
        .proxy_from_env();
    if let Some(token) = &args.registry_token {
        builder = builder.bearer(token.reveal());
    }
    if let Some(credentials) = &args.registry_user {
        let (user, password) = credentials
            .reveal()
            .split_once(':')
            .ok_or_else(|| Failure::usage("--registry-user expects USER:PASSWORD"))?;
        builder = builder.basic_auth(user, password);
    }
    builder
        .build()
        .map(Some)
        .map_err(|error| Failure::usage(sabot::with_causes(&error)))
}

/// The properties of the file that is named, or else of the first of the usual ones that exists.
fn read(config: &ConfigArgs) -> Result<Vec<Property>, Failure> {
    let explicit = config.config_file.as_deref();
    if explicit == Some(Path::new("none")) {
        return Ok(Vec::new());
    }
    let usual = usual_paths(|name| env::var_os(name));
    let candidates = explicit.map_or(usual, |path| vec![path.to_owned()]);
    for path in candidates {
        match fs::read_to_string(&path) {
            Ok(text) => {
                return parse(&text).map_err(|line| {
                    Failure::usage(format!("{}: line {line} is not NAME=VALUE", path.display()))
                });
            }
            Err(error) if explicit.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::usage(format!("cannot read {}: {error}", path.display()))),
        }
    }
    Ok(Vec::new())
}

/// Where a file is looked for: Sabot's own place, then kcat's.
fn usual_paths(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let path = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let dot_config = path("HOME").map(|home| home.join(".config"));
    // A relative path there is to be ignored, as the XDG specification has it.
    let config = path("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    let ours = config
        .or_else(|| dot_config.clone())
        .map(|folder| folder.join("sabot").join("sabot.conf"));
    let kcats = path("KCAT_CONFIG").or_else(|| dot_config.map(|folder| folder.join("kcat.conf")));
    ours.into_iter().chain(kcats).collect()
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

    #[cfg(unix)]
    #[test]
    fn files_are_looked_for_where_they_belong() {
        /// Variables, and where a file is looked for with them.
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let cases: [Case<'_>; 6] = [
            (&[], &[]),
            (
                &[("HOME", "/h")],
                &["/h/.config/sabot/sabot.conf", "/h/.config/kcat.conf"],
            ),
            (
                &[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")],
                &["/x/sabot/sabot.conf", "/h/.config/kcat.conf"],
            ),
            (
                &[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")],
                &["/h/.config/sabot/sabot.conf", "/h/.config/kcat.conf"],
            ),
            (
                &[("HOME", "/h"), ("KCAT_CONFIG", "k")],
                &["/h/.config/sabot/sabot.conf", "k"],
            ),
            (&[("HOME", ""), ("XDG_CONFIG_HOME", ""), ("KCAT_CONFIG", "")], &[]),
        ];
        for (variables, paths) in cases {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let expected: Vec<_> = paths.iter().map(PathBuf::from).collect();
            assert_eq!(usual_paths(variable), expected, "{variables:?}");
        }
    }

    #[test]
    fn ports_are_numbers() {
        for (broker, is_good) in [
            ("b", true),
            ("b:9092", true),
            (" b:9092 ", true),
            ("SASL_SSL://b:9092", true),
            ("ssl://b", true),
            ("::1", true),
            ("[::1]", true),
            ("[::1]:9092", true),
            ("b:", false),
            ("b:x", false),
            ("b:0", false),
            ("b:70000", false),
            ("[::1]:x", false),
        ] {
            assert_eq!(has_good_port(broker), is_good, "{broker}");
        }
    }

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
