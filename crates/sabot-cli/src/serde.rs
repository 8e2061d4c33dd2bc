//! kcat's `-s`: how keys and values are encoded.

use sabot::avro::AvroFactory;
use sabot::decode::MappingOption;
use sabot::json::JsonFactory;
use sabot::plain::{PlainFactory, Serde};
use sabot::{Codec, Framing};

/// One `-s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SerdeArg {
    /// `None` means keys and values.
    pub(crate) part: Option<Part>,
    pub(crate) encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Avro,
    Json,
    /// JSON with a schema id before it. The id is taken off, and no schema is asked for.
    RegistryJson,
    Plain(Serde),
}

impl SerdeArg {
    /// Reads `[key=|value=]SERDE`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (part, name) = match text.split_once('=') {
            None => (None, text),
            Some(("key", name)) => (Some(Part::Key), name),
            Some(("value", name)) => (Some(Part::Value), name),
            Some(_) => return Err("expected key=SERDE, value=SERDE or SERDE".into()),
        };
        Ok(Self {
            part,
            encoding: Encoding::parse(name)?,
        })
    }
}

impl Encoding {
    fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "avro" => Self::Avro,
            "json" => Self::Json,
            "json-registry" => Self::RegistryJson,
            "s" => Self::Plain(Serde::String),
            // kcat's letters for big-endian numbers.
            "h" => Self::Plain(Serde::Short),
            "i" => Self::Plain(Serde::Int),
            "q" => Self::Plain(Serde::Long),
            other => match Serde::from_name(other) {
                Some(serde) => Self::Plain(serde),
                None => {
                    let plain = Serde::ALL.map(Serde::name).join(", ");
                    return Err(format!(
                        "known are avro, json, json-registry, {plain}, and kcat's s, h, i and q"
                    ));
                }
            },
        })
    }

    /// The options of `--types` that mean something for it.
    pub(crate) fn options(self) -> &'static [MappingOption] {
        match self {
            Self::Avro => AvroFactory::OPTIONS,
            Self::Json | Self::RegistryJson => JsonFactory::OPTIONS,
            Self::Plain(_) => PlainFactory::OPTIONS,
        }
    }

    /// The codec without options.
    pub(crate) fn codec(self) -> Codec {
        match self {
            Self::Avro => Codec::avro(),
            Self::Json => Codec::json(),
            Self::RegistryJson => Codec::json().framing(Framing::Confluent),
            Self::Plain(serde) => Codec::plain(serde),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serdes_are_read() {
        let plain = Encoding::Plain;
        for (text, part, encoding) in [
            ("avro", None, Encoding::Avro),
            ("key=s", Some(Part::Key), plain(Serde::String)),
            ("value=json", Some(Part::Value), Encoding::Json),
            ("json-registry", None, Encoding::RegistryJson),
            ("key=q", Some(Part::Key), plain(Serde::Long)),
            ("uuid", None, plain(Serde::Uuid)),
        ] {
            assert_eq!(SerdeArg::parse(text), Ok(SerdeArg { part, encoding }), "{text}");
        }
        for text in ["", "key=", "xml", "payload=avro", "AVRO"] {
            SerdeArg::parse(text).expect_err(text);
        }
    }
}
