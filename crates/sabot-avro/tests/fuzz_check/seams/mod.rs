//! Messages at the seams of the two engines: what a block of rows takes just so, just not, or not
//! at all.
//!
//! Random schemas and values meet these too seldom to be relied upon: numbers at the edge of
//! overflow, limits met exactly, items without bytes, arrays in several blocks, rows of a list that
//! have nothing where the row beside has something. [`super::engines`] holds both engines against
//! each other on all of them.

mod holes;
mod limits;
mod lists;
mod records;
mod values;

use sabot_decode::{Limits, OutputSchema, Target, WriterSchema};
use sabot_testkit::avro::long;

use super::engines::Message;

/// Writers, a target, and messages that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Seam {
    pub(crate) target: Target,
    pub(crate) writers: Vec<WriterSchema>,
    pub(crate) messages: Vec<Message>,
}

/// Every one of them.
pub(crate) fn all() -> Vec<Seam> {
    [
        values::numbers(),
        values::symbols(),
        values::texts(),
        limits::defaults(),
        limits::widths(),
        limits::items(),
        lists::blocks(),
        lists::nested(),
        lists::runs(),
        lists::mixed(),
        lists::nothing(),
        holes::holes(),
        limits::sizes(),
        records::writers(),
        records::deep(),
        records::branches_that_fail(),
    ]
    .concat()
}

impl Seam {
    /// Of one writer, whose schema is the reader's.
    fn new(writer: &str, bodies: Vec<Vec<u8>>) -> Self {
        let mut target = Target::default();
        target.limits.row_items = 1000;
        Self {
            target,
            writers: vec![WriterSchema::avro(writer)],
            messages: bodies.into_iter().map(|body| (0, Some(body))).collect(),
        }
    }

    fn onto(mut self, reader: &str) -> Self {
        self.target.output = OutputSchema::Reader(WriterSchema::avro(reader));
        self
    }

    fn keeping(mut self, path: &str) -> Self {
        self.target.projection = Some(vec![path.to_owned()]);
        self
    }

    fn within(mut self, limit: impl FnOnce(&mut Limits)) -> Self {
        limit(&mut self.target.limits);
        self
    }

    fn and(mut self, writer: &str, bodies: Vec<Vec<u8>>) -> Self {
        let at = self.writers.len();
        self.writers.push(WriterSchema::avro(writer));
        self.messages
            .extend(bodies.into_iter().map(|body| (at, Some(body))));
        self
    }

    /// The messages in blocks of their like, as the one that is different, and in turn.
    pub(crate) fn arrangements(&self) -> Vec<Vec<Message>> {
        let mut arrangements = Vec::new();
        for (at, message) in self.messages.iter().enumerate() {
            arrangements.push(vec![message.clone(); 70]);
            let mut among = vec![self.messages[0].clone(); 70];
            let lane = [0, 1, 31, 62, 63][at % 5];
            among[lane] = message.clone();
            arrangements.push(among);
        }
        arrangements.push(self.messages.iter().cycle().take(130).cloned().collect());
        arrangements
    }
}

/// A record of fields `f0`, `f1` and so on of these types.
fn record(types: &[&str]) -> String {
    let fields = types.iter().enumerate();
    let fields: Vec<_> = fields
        .map(|(at, ty)| format!(r#"{{"name": "f{at}", "type": {ty}}}"#))
        .collect();
    format!(
        r#"{{"type": "record", "name": "R", "fields": [{}]}}"#,
        fields.join(", ")
    )
}

/// An array of `count` times the same item, in one block.
fn items_of(count: i64, item: &[u8]) -> Vec<u8> {
    match count {
        0 => long(0),
        _ => [long(count), item.repeat(count as usize), long(0)].concat(),
    }
}

/// An array of these items, in one block.
fn list_of(items: &[Vec<u8>]) -> Vec<u8> {
    match items.len() {
        0 => long(0),
        len => [long(len as i64), items.concat(), long(0)].concat(),
    }
}
