//! From what was seen in a sample to the fields of a schema.
//!
//! A sample cannot tell that a field is never there. So what a projection asks for and nobody has
//! seen becomes JSON text, as a field that was always null does; and so does what the projection
//! takes for something else than what was seen, as values do that contradict each other. Each is
//! told as a doubt, since a mistyped name looks the same.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};
use sabot_codec::{Projection, Selection, extension};
use sabot_decode::{Mapping, PlanError, field_segment};

use super::{Members, Type};
use crate::plan::{MAX_NULL_CELLS, SCALAR, SCALAR_KEY};

/// The fields that are kept of all messages, and what is in doubt about the projection.
pub(super) fn fields(
    members: &Members,
    mapping: &Mapping,
    projection: &Projection,
) -> (Fields, Vec<PlanError>) {
    let mut builder = Builder {
        mapping,
        cells_left: MAX_NULL_CELLS,
        doubts: Vec::new(),
    };
    // A message is an object, and every path begins with a field's name: that cannot be refused.
    let fields = builder.members(members, &projection.root()).unwrap_or_default();
    (fields, builder.doubts)
}

struct Builder<'a> {
    mapping: &'a Mapping,
    /// How many nulls all lists together may need at most; a list that may need more becomes JSON
    /// text.
    cells_left: usize,
    doubts: Vec<PlanError>,
}

impl Builder<'_> {
    /// The fields that are kept of an object.
    fn members(&mut self, members: &Members, selection: &Selection<'_>) -> Result<Fields, PlanError> {
        let names = || members.fields.iter().map(|(name, _)| &**name);
        let known = selection.members(names());
        if let Ok(kept) = known {
            let kept = kept.into_iter().map(|(at, selection)| {
                let (name, ty) = &members.fields[at];
                self.member(name, ty, &selection)
            });
            return Ok(kept.collect());
        }
        // Some are unknown, or a path takes the object for something else.
        let asked = selection.asked_members(names())?;
        self.doubts.extend(known.err());
        let kept = asked.into_iter().map(|(name, selection)| {
            let seen = members.positions.get(name).map(|at| &members.fields[*at].1);
            self.member(name, seen.unwrap_or(&Type::Unknown), &selection)
        });
        Ok(kept.collect())
    }

    fn member(&mut self, name: &str, ty: &Type, selection: &Selection<'_>) -> Field {
        let before = self.doubts.len();
        let field = self.field(name, ty, selection);
        self.doubts_within(&field_segment(name), before);
        field
    }

    /// Puts `segment` before the paths of the doubts from `before` on.
    fn doubts_within(&mut self, segment: &str, before: usize) {
        let below = self.doubts.split_off(before).into_iter();
        self.doubts.extend(below.map(|doubt| doubt.within(segment)));
    }

    /// A field that takes all values seen.
    fn field(&mut self, name: &str, ty: &Type, selection: &Selection<'_>) -> Field {
        let data_type = self.data_type(ty, selection).unwrap_or_else(|contradiction| {
            self.doubts.push(contradiction);
            None
        });
        let metadata = match (&data_type, ty) {
            (None, _) => Some(extension::entry(extension::JSON)),
            (_, Type::Scalar) => Some((SCALAR_KEY.to_owned(), SCALAR.to_owned())),
            _ => None,
        };
        let data_type = data_type.unwrap_or_else(|| self.mapping.strings.data_type());
        Field::new(name, data_type, true).with_metadata(metadata.into_iter().collect())
    }

    /// The type of a column; `None` where it is JSON text.
    fn data_type(&mut self, ty: &Type, selection: &Selection<'_>) -> Result<Option<DataType>, PlanError> {
        Ok(match ty {
            Type::Unknown | Type::Json => None,
            Type::Object(members) => {
                let fields = self.members(members, selection)?;
                (!fields.is_empty()).then_some(DataType::Struct(fields))
            }
            Type::List { item, items } => {
                let (before, cells_left) = (self.doubts.len(), self.cells_left);
                let item = self.field("item", item, &selection.items());
                self.doubts_within("[]", before);
                // Of what becomes columns: the projection may ask for more than was seen.
                let cells = items.saturating_mul(cells(item.data_type()) - 1);
                let left = self.cells_left.checked_sub(cells);
                // The lists within a list that becomes text need nothing.
                self.cells_left = left.unwrap_or(cells_left);
                left.map(|_| DataType::List(Arc::new(item)))
            }
            scalar => {
                selection.leaf("a scalar")?;
                Some(scalar.scalar_type(self.mapping))
            }
        })
    }
}

/// Values that a null of this type takes in all columns: see [`crate::plan::PlanNode::cells`].
fn cells(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(members) => {
            1 + members
                .iter()
                .map(|member| cells(member.data_type()))
                .sum::<usize>()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use sabot_decode::Limits;

    use crate::infer::Inference;
    use crate::parse::Parser;

    use super::*;

    /// What is selected and nobody has seen is told with its path, and the nearest names.
    #[test]
    fn doubts() {
        let message = br#"{"id": 1, "who": {"name": "x", "age": 2}, "lines": [{"sku": "a"}], "s": "x"}"#;
        let mut inference = Inference::new();
        let added = Parser::new(&Limits::default()).parse(message, |document| inference.add(document));
        assert_eq!(added, Ok(()));
        let unknown = "the projection names a field that the schema does not have";
        for (path, expected) in [
            ("id, who.age, lines.sku", vec![]),
            ("ID", vec![format!("field ID: {unknown}; did you mean id?")]),
            (
                "who.nmae, id",
                vec![format!("field who.nmae: {unknown}; did you mean name?")],
            ),
            (
                "lines.skus",
                vec![format!("field lines[].skus: {unknown}; did you mean sku?")],
            ),
            (
                "s.x",
                vec!["field s: a projection cannot select within a scalar".to_owned()],
            ),
            (
                "who[].age",
                vec!["field who: the projection has [] where the schema has a record".to_owned()],
            ),
        ] {
            let paths = [path.to_owned()];
            let projection = Projection::parse(Some(&paths)).expect("paths");
            let (_, doubts) = fields(&inference.members, &Mapping::default(), &projection);
            let doubts: Vec<_> = doubts.iter().map(ToString::to_string).collect();
            assert_eq!(doubts.len(), expected.len(), "{path}: {doubts:?}");
            let is_right = doubts
                .iter()
                .zip(&expected)
                .all(|(doubt, expected)| doubt.starts_with(expected));
            assert!(is_right, "{path}: {doubts:?}");
        }
    }
}
