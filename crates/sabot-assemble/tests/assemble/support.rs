//! Messages and assemblers for the tests.

use std::sync::Arc;

use sabot_assemble::{
    Assembled, Assembler, AssemblerOptions, BadRow, Headers, PushStop, Pushed, Run, RunHeaders, RunPart,
    TimestampKind, Timestamps,
};
use sabot_decode::{Decoder, DecoderFactory, Framing, SchemaKey, Target};
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
    /// Its frame is malformed.
    Misframed,
    /// Bytes with Confluent's frame.
    Framed(SchemaKey, Vec<u8>),
    /// Bytes with protobuf's frame: a message of a schema.
    Message(SchemaKey, u8, Vec<u8>),
    /// Bytes without a frame.
    Bare(Vec<u8>),
}

impl Part {
    pub(crate) fn row(key: SchemaKey, id: i32, name: &str) -> Self {
        Self::Framed(key, ToyFactory::body(id, name))
    }

    pub(crate) fn short() -> Self {
        Self::Framed(PLAIN, vec![0, 0])
    }

    /// As it comes from Kafka.
    pub(crate) fn raw(&self) -> Option<Vec<u8>> {
        match self {
            Self::Null => None,
            Self::Misframed => Some(b"misframed".to_vec()),
            Self::Framed(SchemaKey::Id(id), bytes) => Some([&[0], &id.to_be_bytes()[..], bytes].concat()),
            // One index, as a zigzag varint.
            Self::Message(SchemaKey::Id(id), index, bytes) => {
                let frame = [&[0], &id.to_be_bytes()[..], &[2, 2 * index]].concat();
                Some([&frame[..], bytes].concat())
            }
            Self::Framed(key, _) | Self::Message(key, ..) => panic!("{key} has no frame"),
            Self::Bare(bytes) => Some(bytes.clone()),
        }
    }

    fn framing(&self) -> Framing {
        match self {
            Self::Bare(_) => Framing::Unframed,
            Self::Message(..) => Framing::ConfluentProtobuf,
            _ => Framing::Confluent,
        }
    }
}

/// A message's time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Timestamp {
    pub(crate) ms: i64,
    pub(crate) kind: TimestampKind,
}

/// A message that owns what a run borrows.
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

    /// Whether it can be in one run with `other`.
    fn goes_with(&self, other: &Self) -> bool {
        let common = |message: &Self| {
            let kind = message.timestamp.map(|timestamp| timestamp.kind);
            let framing = (message.key.framing(), message.value.framing());
            (message.topic.clone(), message.partition, kind, framing)
        };
        common(self) == common(other)
    }
}

/// Messages of one run, with what their run borrows.
struct Stretch<'m> {
    messages: &'m [Message],
    offsets: Vec<i64>,
    ms: Vec<i64>,
    keys: Vec<Option<Vec<u8>>>,
    values: Vec<Option<Vec<u8>>>,
}

impl<'m> Stretch<'m> {
    fn new(messages: &'m [Message]) -> Self {
        let times = messages.iter().filter_map(|message| message.timestamp);
        Self {
            messages,
            offsets: messages.iter().map(|message| message.offset).collect(),
            ms: times.map(|timestamp| timestamp.ms).collect(),
            keys: messages.iter().map(|message| message.key.raw()).collect(),
            values: messages.iter().map(|message| message.value.raw()).collect(),
        }
    }

    /// The run, from slices of what this owns.
    fn run<'a>(&'a self, keys: &'a [Option<&'a [u8]>], values: &'a [Option<&'a [u8]>]) -> Run<'a> {
        let first = &self.messages[0];
        let part = |part: &Part, bytes| RunPart {
            framing: part.framing(),
            bytes,
            schema_headers: &[],
        };
        Run {
            topic: &first.topic,
            partition: first.partition,
            offsets: &self.offsets,
            timestamps: first.timestamp.map(|timestamp| Timestamps {
                ms: &self.ms,
                kind: timestamp.kind,
            }),
            keys: part(&first.key, keys),
            values: part(&first.value, values),
            headers: Some(RunHeaders {
                headers: self,
                first: 0,
            }),
        }
    }
}

impl Headers for Stretch<'_> {
    fn visit(&self, index: usize, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        for (name, value) in &self.messages[index].headers {
            each(name, value.as_deref());
        }
    }
}

fn slices(bytes: &[Option<Vec<u8>>]) -> Vec<Option<&[u8]>> {
    bytes.iter().map(Option::as_deref).collect()
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

    /// Pushes the messages as runs, as long as they can be.
    pub(crate) fn push(&mut self, messages: &[Message]) -> Pushed {
        let stretches: Vec<Stretch<'_>> = messages.chunk_by(Message::goes_with).map(Stretch::new).collect();
        let bytes: Vec<_> = stretches
            .iter()
            .map(|stretch| (slices(&stretch.keys), slices(&stretch.values)))
            .collect();
        let runs: Vec<Run<'_>> = stretches
            .iter()
            .zip(&bytes)
            .map(|(stretch, (keys, values))| stretch.run(keys, values))
            .collect();
        let dead = &mut self.dead;
        self.assembler.push(&runs, &mut self.schemas, &mut |bad, record| {
            dead.push((bad.clone(), record.offset()));
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
