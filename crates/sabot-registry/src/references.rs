//! Closing a schema under its references.
//!
//! Depth first, visited by name, as Confluent's clients do it: where two versions of one name are reached, the first
//! wins. What the registry sends is not trusted to be a finite tree: depth, number and bytes are bounded, and a cycle,
//! which has no order of dependency, is an error.

use std::collections::HashMap;
use std::sync::Arc;

use sabot_schema::NamedSchema;

use crate::json::{ReferenceJson, SchemaJson};
use crate::{Error, ErrorKind};

/// How deep references may nest.
pub(crate) const MAX_DEPTH: usize = 64;
/// How many schemas one may refer to, directly or not.
pub(crate) const MAX_REFERENCES: usize = 1000;

/// Fetches `references` and all that they refer to, each after those it depends on.
///
/// `fetch` is given a reference and the subject of the schema that holds it, where known. `budget_bytes` bounds all
/// texts together.
pub(crate) fn close(
    references: &[ReferenceJson],
    parent: Option<&str>,
    budget_bytes: usize,
    fetch: &mut dyn FnMut(&ReferenceJson, Option<&str>) -> Result<Arc<SchemaJson>, Error>,
) -> Result<Vec<NamedSchema>, Error> {
    let mut walk = Walk { fetch, states: HashMap::new(), path: Vec::new(), ordered: Vec::new(), left_bytes: budget_bytes };
    walk.visit_all(references, parent)?;
    Ok(walk.ordered)
}

struct Walk<'a> {
    fetch: &'a mut dyn FnMut(&ReferenceJson, Option<&str>) -> Result<Arc<SchemaJson>, Error>,
    /// By name: whether everything below it is in `ordered`.
    states: HashMap<String, bool>,
    /// The names from the root to where the walk stands.
    path: Vec<String>,
    ordered: Vec<NamedSchema>,
    left_bytes: usize,
}

impl Walk<'_> {
    fn visit_all(&mut self, references: &[ReferenceJson], parent: Option<&str>) -> Result<(), Error> {
        references.iter().try_for_each(|reference| self.visit(reference, parent))
    }

    fn visit(&mut self, reference: &ReferenceJson, parent: Option<&str>) -> Result<(), Error> {
        match self.states.get(&reference.name) {
            Some(true) => return Ok(()),
            Some(false) => return Err(self.fault(format!("{} refers back to itself", reference.name), reference)),
            None => {}
        }
        if self.path.len() == MAX_DEPTH {
            return Err(self.fault(format!("they nest deeper than {MAX_DEPTH}"), reference));
        }
        if self.states.len() == MAX_REFERENCES {
            return Err(self.fault(format!("there are more than {MAX_REFERENCES}"), reference));
        }
        let ReferenceJson { name, subject, version } = reference;
        let schema = (self.fetch)(reference, parent)
            .map_err(|error| error.within(format!("resolving reference {name} (subject {subject}, version {version})")))?;
        self.left_bytes = self.left_bytes.checked_sub(schema.schema.len()).ok_or_else(|| {
            Error::new(ErrorKind::TooLarge, "the schema and its references together exceed the limit of one answer")
        })?;
        self.states.insert(name.clone(), false);
        self.path.push(name.clone());
        self.visit_all(schema.references.as_deref().unwrap_or_default(), schema.subject.as_deref().or(parent))?;
        self.path.pop();
        self.states.insert(name.clone(), true);
        self.ordered.push(NamedSchema { name: name.as_str().into(), text: schema.schema.as_str().into() });
        Ok(())
    }

    #[cold]
    fn fault(&self, what: String, at: &ReferenceJson) -> Error {
        let path = self.path.iter().map(String::as_str).chain([at.name.as_str()]).collect::<Vec<_>>().join(" -> ");
        Error::new(ErrorKind::References, format!("{what}: {path}"))
    }
}
