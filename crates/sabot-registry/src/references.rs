//! Resolving references: a schema with all that it refers to, directly or not.
//!
//! Depth first, visited by name, as Confluent's clients do it: where two versions of one name are
//! reached, the first wins. What the registry sends is not trusted to be a finite tree: depth,
//! number and bytes are bounded, and a cycle, which has no order of dependency, is an error.

use std::collections::HashMap;
use std::sync::Arc;

use sabot_schema::{Context, NamedSchema, Reference, RegisteredSchema, Schema, WriterSchema};

use crate::{Error, ErrorKind};

/// How deep references may nest.
pub(crate) const MAX_DEPTH: usize = 64;
/// How many schemas one may refer to, directly or not.
pub(crate) const MAX_REFERENCES: usize = 1000;

/// Brings a reference's schema, given the context of the schema that holds it.
pub(crate) type Fetch<'a> = &'a mut dyn FnMut(&Reference, &Context) -> Result<Arc<RegisteredSchema>, Error>;

/// Makes a writer schema: checks that messages can be read with it, and fetches all that it refers
/// to, each schema after those it depends on.
///
/// `context` is where `schema` is. `max_bytes` bounds all texts together.
pub(crate) fn resolve_references(
    schema: &Schema,
    context: &Context,
    max_bytes: usize,
    fetch: Fetch<'_>,
) -> Result<WriterSchema, Error> {
    if let Some(rule) = schema.rule_set.as_ref().and_then(|rules| rules.encryption()) {
        return Err(Error::new(
            ErrorKind::Encrypted,
            format!(
                "the rule {:?} encrypts on the client side: messages hold ciphertext, which cannot be read here",
                rule.name
            ),
        ));
    }
    let left_bytes = max_bytes.saturating_sub(schema.text.len());
    let mut walk = Walk {
        fetch,
        states: HashMap::new(),
        path: Vec::new(),
        ordered: Vec::new(),
        left_bytes,
    };
    walk.visit_all(&schema.references, context)?;
    Ok(WriterSchema {
        kind: schema.kind,
        text: Arc::clone(&schema.text),
        references: walk.ordered.into(),
    })
}

struct Walk<'a> {
    fetch: Fetch<'a>,
    /// By name: whether everything below it is in `ordered`.
    states: HashMap<Arc<str>, bool>,
    /// The names from the root to where the walk has come.
    path: Vec<Arc<str>>,
    ordered: Vec<NamedSchema>,
    left_bytes: usize,
}

impl Walk<'_> {
    fn visit_all(&mut self, references: &[Reference], context: &Context) -> Result<(), Error> {
        references
            .iter()
            .try_for_each(|reference| self.visit(reference, context))
    }

    fn visit(&mut self, reference: &Reference, context: &Context) -> Result<(), Error> {
        let Reference {
            name,
            subject,
            version,
        } = reference;
        match self.states.get(name) {
            Some(true) => return Ok(()),
            Some(false) => return Err(self.fault("a cycle", name)),
            None => {}
        }
        if self.path.len() == MAX_DEPTH {
            return Err(self.fault(&format!("more than {MAX_DEPTH} levels"), name));
        }
        if self.states.len() == MAX_REFERENCES {
            return Err(self.fault(&format!("more than {MAX_REFERENCES} schemas"), name));
        }
        let found = (self.fetch)(reference, context).map_err(|error| {
            error.within(format!(
                "resolving reference {name} (subject {subject}, version {version})"
            ))
        })?;
        self.left_bytes = self
            .left_bytes
            .checked_sub(found.schema.text.len())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::TooLarge,
                    "the schema and its references together exceed the limit of one answer",
                )
            })?;
        self.states.insert(Arc::clone(name), false);
        self.path.push(Arc::clone(name));
        self.visit_all(&found.schema.references, found.subject.context())?;
        self.path.pop();
        self.states.insert(Arc::clone(name), true);
        self.ordered.push(NamedSchema {
            name: Arc::clone(name),
            text: Arc::clone(&found.schema.text),
        });
        Ok(())
    }

    #[cold]
    fn fault(&self, what: &str, name: &Arc<str>) -> Error {
        let path = self
            .path
            .iter()
            .chain([name])
            .map(|name| &**name)
            .collect::<Vec<_>>()
            .join(" -> ");
        Error::new(ErrorKind::References, format!("{what}: {path}"))
    }
}
