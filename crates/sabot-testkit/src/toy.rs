//! A decoder small enough to be right at sight, and ways to break it.
//!
//! It proves that the conformance suite passes a good decoder and catches each kind of bad one, and
//! it stands in for a codec in tests of what is above the codecs. It uses nothing of
//! `sabot-columns` and `sabot-assemble`, which such tests are about.
//!
//! A body is a big-endian `i32`, a byte that says how long the name is, and the name in UTF-8. A
//! writer schema is the text `ids+N`: its ids are `N` too low; in `ids+N,M` message 0 has ids that
//! are `N` too low, and message 1 `M`. A payload of [`SchemaKey::Absent`] needs no schema.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use sabot_decode::{
    Body, Decoder, DecoderFactory, FieldPathId, FlushError, Limits, Mapping, MessagePath, MessagePathBuf,
    OutputSchema, Payload, PlanError, Progress, RowError, RowErrorKind, SchemaKey, SchemaKind, Slots, Stop,
    Target, WriterSchema,
};

const ID: FieldPathId = FieldPathId(1);
const NAME: FieldPathId = FieldPathId(2);
/// The columns.
const NAMES: [&str; 2] = ["id", "name"];

/// Makes toy decoders, whose batches have the columns `id` (`Int32`) and `name` (`Utf8`, nullable).
///
/// The schema is fixed by the first writer schema, or the first body without one, unless the target
/// gives one of any kind.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ToyFactory {
    /// How its decoders are broken.
    pub defect: Option<Defect>,
}

/// A way in which a decoder breaks an invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "tests go through all of them")]
pub enum Defect {
    /// A refused payload takes no slot.
    NoSlotForRefused,
    /// A tombstone is reported as a bad row.
    TombstoneIsBad,
    /// A tombstone's nullable column is not null.
    TombstoneIsNotNull,
    /// What a bad row wrote stays in the columns, where it is text.
    LeavesRemains,
    /// A bad row is reported and yet marked valid.
    MarksBadRowValid,
    /// A bad row is marked invalid and not reported.
    ReportsNothing,
    /// The errors of one call are reported in reverse.
    ReportsInReverse,
    /// A fault is reported after the end of the body.
    ReportsBehindTheEnd,
    /// Bad UTF-8 is found by `flush`.
    ChecksUtf8InFlush,
    /// A batch ends where the schema key changes.
    SplitsBySchema,
    /// The field's name tells the first writer schema of each batch.
    ChangesSchema,
    /// A payload of an unknown key is decoded as if it had none.
    GuessesSchema,
    /// All messages of a schema are decoded as the one that was prepared first.
    IgnoresMessages,
    /// A payload of an unknown key takes a slot before its schema is asked for.
    SlotForUnknownSchema,
    /// A writer schema that cannot be read still becomes known.
    RemembersUnusableSchema,
    /// The limit of rows in a batch is ignored.
    IgnoresBatchRows,
    /// The limit of bytes in a batch is ignored.
    IgnoresBatchBytes,
    /// The limit of bytes in a row is ignored.
    IgnoresRowBytes,
    /// More bytes are counted as buffered with each flush.
    LeaksBuffered,
    /// Nothing is counted as buffered.
    CountsNothing,
    /// A truncated body panics.
    Panics,
    /// An empty decoder says that it is full.
    FullWhenEmpty,
    /// An id is added to that of the row before it, within one call.
    AddsUpWithinCalls,
    /// A name that is that of the row before it in the batch is left out.
    LeavesOutRepeats,
    /// All columns are kept, whatever is asked for.
    IgnoresProjection,
    /// Columns keep the schema's order.
    IgnoresOrder,
    /// A path that leads nowhere is left out.
    IgnoresUnknownPaths,
    /// The error about an unknown field does not say which there are.
    NamesNoFields,
    /// Options of the mapping are taken and have no effect.
    IgnoresMapping,
    /// An option is refused without its name.
    RefusesWithoutName,
}

impl ToyFactory {
    /// A factory of broken decoders.
    #[must_use]
    pub const fn broken(defect: Defect) -> Self {
        Self { defect: Some(defect) }
    }

    /// The body of a row.
    ///
    /// # Panics
    ///
    /// If the name is longer than 255 bytes.
    #[must_use]
    pub fn body(id: i32, name: &str) -> Vec<u8> {
        let len = u8::try_from(name.len()).expect("because a name has at most 255 bytes");
        [&id.to_be_bytes(), &[len][..], name.as_bytes()].concat()
    }

    /// The writer schema whose ids are `less` too low.
    #[must_use]
    pub fn writer(less: i32) -> WriterSchema {
        Self::writer_of(&[less])
    }

    /// The writer schema of several messages: the ids of each are so much too low.
    #[must_use]
    pub fn writer_of(less: &[i32]) -> WriterSchema {
        let less: Vec<_> = less.iter().map(i32::to_string).collect();
        WriterSchema::new(SchemaKind::Plain, format!("ids+{}", less.join(",")))
    }
}

impl DecoderFactory for ToyFactory {
    fn kind(&self) -> SchemaKind {
        SchemaKind::Plain
    }

    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        self.check(&target.mapping)?;
        let mut toy = Toy {
            columns: match &target.projection {
                Some(paths) => self.project(paths)?,
                None => NAMES.into(),
            },
            defect: self.defect,
            limits: target.limits,
            schema: None,
            plans: VecDeque::new(),
            ids: Vec::new(),
            ends: vec![0],
            names: Vec::new(),
            has_name: Vec::new(),
            valid: Vec::new(),
            leaked_bytes: 0,
        };
        if target.output != OutputSchema::FirstWriter {
            toy.fix_schema();
        }
        Ok(Box::new(toy))
    }
}

impl ToyFactory {
    /// A toy's types are what they are.
    fn check(&self, mapping: &Mapping) -> Result<(), PlanError> {
        let checked = mapping.check(&[], "a toy has no choice of types");
        match self.defect {
            Some(Defect::IgnoresMapping) => Ok(()),
            Some(Defect::RefusesWithoutName) => checked.map_err(|_| PlanError::new("wrong option")),
            _ => checked,
        }
    }

    /// The names of the columns that are kept, in their order.
    fn project(&self, paths: &[String]) -> Result<Vec<&'static str>, PlanError> {
        let has = |defect| self.defect == Some(defect);
        let mut columns = Vec::new();
        for path in paths.iter().flat_map(|text| text.split(',')).map(str::trim) {
            let quoted = path.strip_prefix('"').and_then(|path| path.strip_suffix('"'));
            let name = quoted.unwrap_or(path);
            match NAMES.into_iter().find(|known| *known == name) {
                Some(known) if !columns.contains(&known) => columns.push(known),
                Some(_) => {}
                None if has(Defect::IgnoresUnknownPaths) => {}
                None if has(Defect::NamesNoFields) => return Err(PlanError::new("wrong path")),
                None => {
                    let message = format!("{path:?} is no field: there are {}", NAMES.join(", "));
                    return Err(PlanError::new(message));
                }
            }
        }
        if has(Defect::IgnoresOrder) {
            columns.sort_unstable();
        }
        Ok(if has(Defect::IgnoresProjection) {
            NAMES.into()
        } else {
            columns
        })
    }
}

#[derive(Debug)]
struct Toy {
    columns: Vec<&'static str>,
    defect: Option<Defect>,
    limits: Limits,
    schema: Option<SchemaRef>,
    /// Messages of schemas and what to add to their ids, the least recently prepared first.
    plans: VecDeque<((SchemaKey, MessagePathBuf), i32)>,
    ids: Vec<i32>,
    ends: Vec<i32>,
    names: Vec<u8>,
    has_name: Vec<bool>,
    valid: Vec<bool>,
    leaked_bytes: usize,
}

impl Decoder for Toy {
    fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    fn prepare_message(
        &mut self,
        key: SchemaKey,
        path: MessagePath<'_>,
        writer: &WriterSchema,
    ) -> Result<(), PlanError> {
        let adds = writer.text.strip_prefix("ids+").unwrap_or_default();
        let at = path.iter().next().unwrap_or(0) as usize;
        let add = adds.split(',').nth(at);
        let add = add.ok_or_else(|| PlanError::no_such_message(path))?.parse().ok();
        let add = match add {
            Some(add) => add,
            None if self.has(Defect::RemembersUnusableSchema) => 0,
            None => return Err(PlanError::new("not of the form `ids+N`").within("id")),
        };
        let message = (key, path.into());
        self.plans.retain(|(known, _)| *known != message);
        if self.plans.len() >= self.limits.plans {
            self.plans.pop_front();
        }
        self.plans.push_back((message, add));
        self.fix_schema();
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let mut errors = Vec::new();
        let progress = self.decode_rows(rows, &mut errors);
        if self.has(Defect::ReportsInReverse) {
            errors.reverse();
        }
        errors.into_iter().for_each(bad);
        progress
    }

    fn slots(&self) -> usize {
        self.valid.len()
    }

    fn buffered_bytes(&self) -> usize {
        if self.has(Defect::CountsNothing) {
            return 0;
        }
        4 * self.ids.len()
            + 4 * (self.ends.len() - 1)
            + self.names.len()
            + 2 * self.slots()
            + self.leaked_bytes
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        if self.has(Defect::LeaksBuffered) {
            self.leaked_bytes += 1;
        }
        let rows = self.slots();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let valid = std::mem::take(&mut self.valid);
        let valid = valid.contains(&false).then(|| BooleanBuffer::from(valid));
        let ids = std::mem::take(&mut self.ids);
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let names = std::mem::take(&mut self.names);
        let has_name = NullBuffer::from(std::mem::take(&mut self.has_name));
        let batch = match &self.schema {
            Some(schema) => {
                if std::str::from_utf8(&names).is_err() {
                    return Err(ArrowError::ParseError("a name is not UTF-8".to_owned()).into());
                }
                let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
                let names = StringArray::try_new(ends, Buffer::from_vec(names), Some(has_name))?;
                let (ids, names): (ArrayRef, ArrayRef) = (Arc::new(Int32Array::from(ids)), Arc::new(names));
                let columns = self.columns.iter().map(|name| match *name {
                    "id" => Arc::clone(&ids),
                    _ => Arc::clone(&names),
                });
                let columns = columns.collect();
                RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?
            }
            None => RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?,
        };
        Ok(Slots { batch, valid })
    }

    fn field_path(&self, path: FieldPathId) -> String {
        match path {
            ID => "id".to_owned(),
            NAME => "name".to_owned(),
            _ => String::new(),
        }
    }
}

impl Toy {
    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn fix_schema(&mut self) {
        let columns = &self.columns;
        self.schema.get_or_insert_with(|| schema_of(columns, "id"));
    }

    fn decode_rows(&mut self, rows: &[Payload<'_>], errors: &mut Vec<RowError>) -> Progress {
        let mut before = 0;
        for (taken, row) in rows.iter().enumerate() {
            if let Some(stop) = self.stop_before(rows, taken) {
                return Progress { taken, stop };
            }
            match row.body {
                Body::Tombstone if self.has(Defect::TombstoneIsBad) => {
                    self.refuse(error_at(0, FieldPathId::ROOT, RowErrorKind::MissingValue), errors);
                }
                Body::Tombstone if self.has(Defect::TombstoneIsNotNull) => self.end_row(0, true, true),
                Body::Tombstone => self.end_row(0, false, true),
                Body::Refused(_) if self.has(Defect::NoSlotForRefused) => {}
                Body::Refused(kind) => self.refuse(error_at(0, FieldPathId::ROOT, kind), errors),
                Body::Bytes(bytes) => {
                    let add = match self.plan(row) {
                        Some(add) => add.wrapping_add(before),
                        None => {
                            return Progress {
                                taken,
                                stop: self.ask(row.key),
                            };
                        }
                    };
                    match self.read(bytes) {
                        Ok(id) => {
                            before = if self.has(Defect::AddsUpWithinCalls) {
                                id
                            } else {
                                0
                            };
                            self.end_row(id.wrapping_add(add), true, true);
                        }
                        Err(mut error) => {
                            if self.has(Defect::ReportsBehindTheEnd) {
                                error.byte_offset += 1000;
                            }
                            self.refuse(error, errors);
                        }
                    }
                }
            }
        }
        Progress {
            taken: rows.len(),
            stop: Stop::Done,
        }
    }

    fn stop_before(&self, rows: &[Payload<'_>], at: usize) -> Option<Stop> {
        let is_full = (self.slots() >= self.limits.batch_rows && !self.has(Defect::IgnoresBatchRows))
            || (self.buffered_bytes() >= self.limits.batch_bytes && !self.has(Defect::IgnoresBatchBytes));
        let splits = self.has(Defect::SplitsBySchema) && at > 0 && rows[at].key != rows[at - 1].key;
        let is_empty = self.slots() == 0;
        let stops = (splits && !is_empty) || (is_full && (!is_empty || self.has(Defect::FullWhenEmpty)));
        stops.then_some(Stop::Full)
    }

    /// What to add to the ids that are written as `row` is.
    fn plan(&mut self, row: &Payload<'_>) -> Option<i32> {
        let key = row.key;
        if self.has(Defect::ChangesSchema) && self.slots() == 0 && key != SchemaKey::Absent {
            self.schema = Some(schema_of(&self.columns, &format!("id {key}")));
        }
        let is_any = self.has(Defect::IgnoresMessages);
        let plan = self
            .plans
            .iter()
            .find(|((known, path), _)| *known == key && (is_any || path.as_path() == row.path))
            .map(|(_, add)| *add);
        let free = key == SchemaKey::Absent || self.has(Defect::GuessesSchema);
        if plan.is_none() && free {
            self.fix_schema();
            return Some(0);
        }
        plan
    }

    fn ask(&mut self, key: SchemaKey) -> Stop {
        if self.has(Defect::SlotForUnknownSchema) {
            self.end_row(0, false, true);
        }
        Stop::NeedsSchema(key)
    }

    /// Reads one body, its name into the column, and returns the id.
    fn read(&mut self, bytes: &[u8]) -> Result<i32, RowError> {
        if bytes.len() > self.limits.row_bytes && !self.has(Defect::IgnoresRowBytes) {
            return Err(error_at(
                0,
                FieldPathId::ROOT,
                RowErrorKind::LimitExceeded("bytes in one message"),
            ));
        }
        let truncated = |node| error_at(bytes.len(), node, RowErrorKind::Truncated);
        let Some((id, rest)) = bytes.split_first_chunk::<4>() else {
            assert!(!self.has(Defect::Panics), "the body is too short");
            return Err(truncated(ID));
        };
        let (len, name) = rest.split_first().ok_or_else(|| truncated(NAME))?;
        let len = usize::from(*len);
        let start = self.names.len();
        self.names.extend_from_slice(&name[..len.min(name.len())]);
        if name.len() < len {
            return Err(truncated(NAME));
        }
        if name.len() > len {
            let left = RowErrorKind::TrailingBytes((name.len() - len) as u32);
            return Err(error_at(5 + len, FieldPathId::ROOT, left));
        }
        if let Err(error) = std::str::from_utf8(name)
            && !self.has(Defect::ChecksUtf8InFlush)
        {
            return Err(error_at(5 + error.valid_up_to(), NAME, RowErrorKind::InvalidUtf8));
        }
        if self.has(Defect::LeavesOutRepeats) && self.ends.len() > 1 {
            let last = self.ends[self.ends.len() - 2] as usize..start;
            if self.names[last] == *name {
                self.names.truncate(start);
            }
        }
        Ok(i32::from_be_bytes(*id))
    }

    /// Ends a row whose name is written already.
    fn end_row(&mut self, id: i32, has_name: bool, valid: bool) {
        self.ids.push(id);
        self.ends.push(self.names.len() as i32);
        self.has_name.push(has_name);
        self.valid.push(valid);
    }

    fn refuse(&mut self, error: RowError, errors: &mut Vec<RowError>) {
        let end = self.ends.last().map_or(0, |end| *end as usize);
        if !self.has(Defect::LeavesRemains) || std::str::from_utf8(&self.names[end..]).is_err() {
            self.names.truncate(end);
        }
        let slot = self.slots() as u32;
        if !self.has(Defect::ReportsNothing) {
            errors.push(RowError { slot, ..error });
        }
        self.end_row(0, false, self.has(Defect::MarksBadRowValid));
        if let Some(last) = self.ends.last_mut() {
            // Only remains can come after it: they become the beginning of the next name.
            *last = end as i32;
        }
    }
}

/// An error whose slot is filled in later.
fn error_at(byte_offset: usize, path: FieldPathId, kind: RowErrorKind) -> RowError {
    RowError {
        slot: 0,
        byte_offset: byte_offset as u32,
        path,
        kind,
    }
}

/// The schema of these columns, of which `id` has the name `id_name`.
fn schema_of(columns: &[&str], id_name: &str) -> SchemaRef {
    let note = || [("note".to_owned(), "toy".to_owned())].into();
    let fields = columns.iter().map(|name| match *name {
        "id" => Field::new(id_name, DataType::Int32, false).with_metadata(note()),
        name => Field::new(name, DataType::Utf8, true),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
