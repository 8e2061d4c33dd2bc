//! Messages and assemblers for the tests.

use std::sync::Arc;

use sabot_assemble::{
    Assembled, Assembler, AssemblerOptions, BadRow, Headers, PushStop, Pushed, Record, Timestamp,
};
use sabot_decode::{Body, Decoder, DecoderFactory, Payload, RowErrorKind, SchemaKey, Target};
use sabot_testkit::Schemas;
use sabot_testkit::toy::ToyFactory;

/// The schema that ids are written with as they are.
pub(crate) const PLAIN: SchemaKey = SchemaKey::Id(1);
/// The schema whose ids are 100 too low.
pub(crate) const SHIFTED: SchemaKey = SchemaKey::Id(2);
/// A schema that no decoder can use.
pub(crate) const UNUSABLE: SchemaKey = SchemaKey::Id(3);
/// No schema has it.
pub(crate) const UNKNOWN: SchemaKey = SchemaKey::Id(4);

/// A key or a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Null,
    Refused(RowErrorKind),
    Bytes(SchemaKey, Vec<u8>),
}

impl Part {
    pub(crate) fn row(key: SchemaKey, id: i32, name: &str) -> Self {
        Self::Bytes(key, ToyFactory::body(id, name))
    }

    pub(crate) fn short() -> Self {
        Self::Bytes(PLAIN, vec![0, 0])
    }

    fn payload(&self) -> Payload<'_> {
        match self {
            Self::Null => Payload::tombstone(),
            Self::Refused(kind) => Payload::refused(SchemaKey::Absent, *kind),
            // As if a frame of five bytes stood before the body.
            Self::Bytes(key, bytes) => Payload {
                prefix_bytes: 5,
                body: Body::Bytes(bytes),
                ..Payload::with_key(*key, bytes)
            },
        }
    }

    pub(crate) fn raw(&self) -> Option<&[u8]> {
        match self {
            Self::Null => None,
            Self::Refused(_) => Some(b"refused"),
            Self::Bytes(_, bytes) => Some(bytes),
        }
    }
}

/// A message that owns what a record borrows.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) key: Part,
    pub(crate) value: Part,
    pub(crate) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Message {
    pub(crate) fn new(offset: i64, value: Part) -> Self {
        Self {
            topic: "t".into(),
            partition: 0,
            offset,
            timestamp: None,
            key: Part::Null,
            value,
            headers: vec![],
        }
    }

    pub(crate) fn keyed(offset: i64, key: Part, value: Part) -> Self {
        Self {
            key,
            ..Self::new(offset, value)
        }
    }

    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.payload(),
            value: self.value.payload(),
            raw_key: self.key.raw(),
            raw_value: self.value.raw(),
            headers: Some(self),
        }
    }
}

impl Headers for Message {
    fn visit(&self, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        for (name, value) in &self.headers {
            each(name, value.as_deref());
        }
    }
}

/// An assembler at work with its source of schemas and what its hook got.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) assembler: Assembler,
    pub(crate) schemas: Schemas,
    /// The reports that the hook got, and the offset of the record that came with each.
    pub(crate) dead: Vec<(BadRow, i64)>,
}

impl Bench {
    pub(crate) fn new(
        options: AssemblerOptions,
        key: Option<Box<dyn Decoder>>,
        value: Box<dyn Decoder>,
    ) -> Self {
        Self {
            assembler: Assembler::new(options, key, value),
            schemas: Schemas::new([
                (PLAIN, ToyFactory::writer(0)),
                (SHIFTED, ToyFactory::writer(100)),
                (UNUSABLE, sabot_decode::WriterSchema::avro("nonsense")),
            ]),
            dead: Vec::new(),
        }
    }

    /// With toy decoders for values, and for keys if `has_key`.
    pub(crate) fn toys(options: AssemblerOptions, has_key: bool) -> Self {
        Self::new(
            options,
            has_key.then(|| toy(&Target::default())),
            toy(&Target::default()),
        )
    }

    pub(crate) fn push(&mut self, messages: &[Message]) -> Pushed {
        let records: Vec<_> = messages.iter().map(Message::record).collect();
        let dead = &mut self.dead;
        self.assembler
            .push(&records, &mut self.schemas, &mut |bad, record| {
                dead.push((bad.clone(), record.offset));
            })
    }

    /// Pushes everything into one batch.
    pub(crate) fn batch(&mut self, messages: &[Message]) -> Assembled {
        let pushed = self.push(messages);
        assert!(matches!(pushed.stop, PushStop::Done), "{pushed:?}");
        assert_eq!(pushed.taken, messages.len());
        assert_eq!(self.assembler.rows(), messages.len());
        self.assembler.finish().unwrap()
    }
}

pub(crate) fn toy(target: &Target) -> Box<dyn Decoder> {
    ToyFactory::default().open(target).unwrap()
}

pub(crate) fn options(change: impl FnOnce(&mut AssemblerOptions)) -> AssemblerOptions {
    let mut options = AssemblerOptions::default();
    change(&mut options);
    options
}
