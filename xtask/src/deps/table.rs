//! What is allowed: the one place that says which crate may know which.
//!
//! ARCHITECTURE.md's table is held against it. It lists what is allowed, not what must be: an edge
//! that nobody uses is no violation.

/// A crate of the workspace and what it may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crate {
    pub(super) name: &'static str,
    /// The crates of ours that it may depend on, without `sabot-`.
    pub(super) may_use: &'static [&'static str],
    pub(super) arrow: Arrow,
    pub(super) may_have_unsafe: bool,
}

/// The Arrow crates that a crate may reach, directly or through others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arrow {
    None,
    Only(&'static [&'static str]),
    Any,
}

/// Each crate after those that it may depend on, so that reading downwards is building upwards.
pub(super) const CRATES: &[Crate] = &[
    // The lower tier outlives Arrow's majors.
    Crate::without_arrow("sabot-wire", &[]),
    Crate::without_arrow("sabot-cursor", &[]).with_unsafe(),
    Crate::without_arrow("sabot-schema", &["wire"]),
    Crate::without_arrow("sabot-registry", &["schema", "wire"]),
    Crate::without_arrow("sabot-registry-server", &["schema"]),
    Crate {
        // It depends directly on three of them; arrow-data comes with these.
        arrow: Arrow::Only(&["arrow-array", "arrow-buffer", "arrow-data", "arrow-schema"]),
        ..Crate::new("sabot-decode", &["schema", "wire"])
    },
    Crate::new("sabot-columns", &["decode"]).with_unsafe(),
    Crate::new("sabot-codec", &["columns", "cursor", "decode", "schema", "wire"]),
    Crate::new(
        "sabot-avro",
        &["codec", "columns", "cursor", "decode", "schema", "wire"],
    ),
    Crate::new("sabot-json", &["codec", "columns", "decode", "schema", "wire"]),
    Crate::new("sabot-plain", &["codec", "columns", "decode", "schema", "wire"]),
    // A codec cannot see it.
    Crate::new("sabot-assemble", &["columns", "decode", "schema", "wire"]),
    // It knows no codec, and no registry.
    Crate::new("sabot-kafka", &["assemble", "decode", "schema", "wire"]).with_unsafe(),
    Crate::new(
        "sabot",
        &[
            "assemble", "avro", "codec", "columns", "decode", "json", "kafka", "plain", "registry", "schema",
            "wire",
        ],
    ),
    Crate::new("sabot-cli", &["registry-server", "sabot"]),
    // Its allocator counts.
    Crate::new("sabot-testkit", &["decode", "schema"]).with_unsafe(),
    Crate::without_arrow("xtask", &[]),
];

/// What any crate may use in its tests, beside its own edges.
pub(super) const TEST_ONLY: &[&str] = &["assemble", "registry-server", "testkit"];

/// Crates that may use every other: they hold tests alone.
pub(super) const UNBOUND: &[&str] = &["sabot-tests"];

/// A circle of modules that is known and not mended yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownCircle {
    pub(super) krate: &'static str,
    /// All modules of the circle, in any order.
    pub(super) modules: &'static [&'static str],
    pub(super) reason: &'static str,
}

/// An entry that no circle needs any more is a violation, so that the list only shrinks.
pub(super) const KNOWN_CIRCLES: &[KnownCircle] = &[];

impl Crate {
    const fn new(name: &'static str, may_use: &'static [&'static str]) -> Self {
        Self {
            name,
            may_use,
            arrow: Arrow::Any,
            may_have_unsafe: false,
        }
    }

    const fn without_arrow(name: &'static str, may_use: &'static [&'static str]) -> Self {
        Self {
            arrow: Arrow::None,
            ..Self::new(name, may_use)
        }
    }

    const fn with_unsafe(self) -> Self {
        Self {
            may_have_unsafe: true,
            ..self
        }
    }

    pub(super) fn find(name: &str) -> Option<&'static Self> {
        CRATES.iter().find(|row| row.name == name)
    }
}

/// A crate's name as the table's `may_use` has it.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("sabot-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{CRATES, short};

    #[test]
    fn each_crate_comes_after_those_that_it_may_use() {
        for (at, row) in CRATES.iter().enumerate() {
            assert!(row.may_use.is_sorted(), "{}", row.name);
            for used in row.may_use {
                let found = CRATES.iter().position(|other| short(other.name) == *used);
                assert!(found.is_some_and(|found| found < at), "{} -> {used}", row.name);
            }
        }
    }
}
