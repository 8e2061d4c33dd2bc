//! Names, namespaces, and the types defined so far.

use std::collections::HashMap;

use super::TypeId;

/// A name with its namespace, if any: `com.acme.Order`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FullName(Box<str>);

impl FullName {
    /// Qualifies `name`: one with a dot is a full name already, any other is in `namespace`.
    pub(crate) fn new(name: &str, namespace: &str) -> Self {
        if name.contains('.') || namespace.is_empty() {
            // A leading dot is the null namespace spelled out.
            let bare = name.strip_prefix('.').filter(|bare| !bare.contains('.'));
            return Self(bare.unwrap_or(name).into());
        }
        Self(format!("{namespace}.{name}").into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its namespace.
    pub(crate) fn short(&self) -> &str {
        self.0.rsplit_once('.').map_or(&*self.0, |(_, name)| name)
    }

    /// The namespace; empty for the null namespace.
    pub(crate) fn namespace(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(namespace, _)| namespace)
    }
}

/// Whether `name` may name a type, a field or an enum symbol: a letter or `_`, then letters, digits
/// or `_`.
///
/// Letters are Unicode's, as Java's reference implementation takes them; the specification asks for
/// ASCII.
pub(super) fn is_valid(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}

/// The named types defined so far.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<FullName, TypeId>);

impl Names {
    /// What `name` refers to within `namespace`: first there, then in the null namespace, as Java
    /// does.
    pub(super) fn find(&self, name: &str, namespace: &str) -> Option<TypeId> {
        let found = self.0.get(&FullName::new(name, namespace));
        found.or_else(|| self.0.get(&FullName::new(name, ""))).copied()
    }

    /// Defines `name`; `false` if it is defined already.
    pub(super) fn define(&mut self, name: FullName, id: TypeId) -> bool {
        let mut is_new = false;
        self.0.entry(name).or_insert_with(|| {
            is_new = true;
            id
        });
        is_new
    }
}
