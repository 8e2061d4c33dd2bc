//! The modules of a crate, and which of them uses which.
//!
//! Read from the source's `mod` and `use` declarations and from paths that begin with `crate`,
//! `super` or `self`; a macro's output is not seen. A name that a module only re-exports leads on
//! to the module that it comes from. Tests are left out: they may reach for anything.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::{Token, tokens};
use crate::command::{Failure, Outcome, root};

/// The names from the crate's root to a module; none for the root itself.
pub(super) type ModulePath = Vec<String>;

/// Re-exports of re-exports end somewhere, unless they go round.
const REEXPORTS_MOST: usize = 16;

/// All modules of a crate.
#[derive(Debug, Default)]
pub(super) struct Modules {
    by_path: BTreeMap<ModulePath, Module>,
}

#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    /// The names that `use` declarations bring in, and what they stand for.
    imports: BTreeMap<String, Vec<String>>,
    /// Every path that is used, and its line.
    paths: Vec<(Vec<String>, usize)>,
}

/// One module uses another, and where.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    pub(super) place: String,
}

/// `src/lib.rs` or `src/main.rs` of a crate of ours.
pub(super) fn root_file(name: &str) -> PathBuf {
    let folder = if name == "xtask" {
        root().join(name)
    } else {
        root().join("crates").join(name)
    };
    let library = folder.join("src/lib.rs");
    if library.exists() {
        library
    } else {
        folder.join("src/main.rs")
    }
}

impl Modules {
    pub(super) fn of_crate(name: &str) -> Outcome<Self> {
        let file = root_file(name);
        let mut modules = Self::default();
        let source = file.parent().expect("a file lies in a folder").to_owned();
        modules.read(&source, &Vec::new(), file)?;
        Ok(modules)
    }

    pub(super) fn len(&self) -> usize {
        self.by_path.len()
    }

    /// Reads the module that `file` holds, and all below it.
    fn read(&mut self, source: &Path, path: &ModulePath, file: PathBuf) -> Outcome {
        let text = fs::read_to_string(&file).map_err(Failure::io(file.display()))?;
        for child in self.add(path, file, &text) {
            let name = child.join("/");
            let candidates = [format!("{name}.rs"), format!("{name}/mod.rs")].map(|name| source.join(name));
            let Some(file) = candidates.iter().find(|file| file.exists()) else {
                return Err(Failure::new(format!("module {} has no file", child.join("::"))));
            };
            self.read(source, &child, file.clone())?;
        }
        Ok(())
    }

    /// Adds a module and those that are written inside it. Gives the children that have files of
    /// their own.
    fn add(&mut self, path: &ModulePath, file: PathBuf, text: &str) -> Vec<ModulePath> {
        let mut reader = Reader {
            tokens: tokens(text),
            at: 0,
            file,
            modules: self,
            children: Vec::new(),
        };
        reader.module(path);
        reader.children
    }

    /// Every use of one module by another.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        for (from, module) in &self.by_path {
            for (path, line) in &module.paths {
                if let Some(to) = self.resolve(from, path, 0) {
                    let file = module.file.strip_prefix(root()).unwrap_or(&module.file);
                    uses.push(Use {
                        from: from.clone(),
                        to,
                        place: format!("{}:{line}", file.display()),
                    });
                }
            }
        }
        uses
    }

    /// The module that `path` leads to from `from`; none for another crate's.
    fn resolve(&self, from: &[String], path: &[String], reexports: usize) -> Option<ModulePath> {
        if reexports > REEXPORTS_MOST {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => {
                rest = path;
                from.to_vec()
            }
            _ => {
                // A name in scope: a child, or what another declaration brought in.
                if self.child(from, first).is_none() && !self.imports(from).contains_key(first) {
                    return None;
                }
                rest = path;
                from.to_vec()
            }
        };
        while let Some((name, after)) = rest.split_first() {
            rest = after;
            match name.as_str() {
                "self" => {}
                "super" => {
                    at.pop();
                }
                _ => {
                    if let Some(child) = self.child(&at, name) {
                        at = child;
                    } else if let Some(import) = self.imports(&at).get(name) {
                        let onward: Vec<String> = import.iter().chain(rest).cloned().collect();
                        return self.resolve(&at, &onward, reexports + 1).or(Some(at));
                    } else {
                        return Some(at);
                    }
                }
            }
        }
        Some(at)
    }

    fn child(&self, of: &[String], name: &str) -> Option<ModulePath> {
        let mut path = of.to_vec();
        path.push(name.to_owned());
        self.by_path.contains_key(&path).then_some(path)
    }

    fn imports(&self, of: &[String]) -> &BTreeMap<String, Vec<String>> {
        static NONE: BTreeMap<String, Vec<String>> = BTreeMap::new();
        self.by_path.get(of).map_or(&NONE, |module| &module.imports)
    }
}

/// Goes through a file's tokens.
struct Reader<'m> {
    tokens: Vec<Token>,
    at: usize,
    file: PathBuf,
    modules: &'m mut Modules,
    children: Vec<ModulePath>,
}

impl Reader<'_> {
    /// Reads up to the end of the file, or of the braces of a module that is written inside it.
    fn module(&mut self, path: &ModulePath) {
        let mut module = Module {
            file: self.file.clone(),
            ..Module::default()
        };
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "{" => depth += 1,
                "}" if depth == 0 => break,
                "}" => depth -= 1,
                "#" if self.is_test_only() => {
                    self.skip_item();
                    continue;
                }
                "mod" if matches!(self.text(2), ";" | "{") => {
                    self.child(path);
                    continue;
                }
                // `use<'a>` bounds a type and imports nothing.
                "use" if self.text(1) != "<" => {
                    self.import(&mut module);
                    continue;
                }
                "crate" | "super" | "self" if self.text(1) == "::" => {
                    self.path(&mut module);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.modules.by_path.insert(path.clone(), module);
    }

    fn text(&self, ahead: usize) -> &str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |token| token.text.as_str())
    }

    /// At `#[cfg(test)]`.
    fn is_test_only(&self) -> bool {
        ["#", "[", "cfg", "(", "test", ")", "]"]
            .iter()
            .enumerate()
            .all(|(ahead, text)| self.text(ahead) == *text)
    }

    /// Skips attributes and the item below them.
    fn skip_item(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            let is_attribute = depth == 0 && self.text(0) == "#";
            match self.text(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" => depth -= 1,
                "}" => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                ";" if depth == 0 => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += if is_attribute { 0 } else { 1 };
            if is_attribute {
                self.skip_attribute();
            }
        }
    }

    fn skip_attribute(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            let is_end = self.text(0) == "]" && depth == 0;
            self.at += 1;
            if is_end {
                return;
            }
        }
    }

    /// At `mod NAME;` or `mod NAME {`.
    fn child(&mut self, of: &ModulePath) {
        let mut path = of.clone();
        path.push(self.text(1).to_owned());
        let is_inside = self.text(2) == "{";
        self.at += 3;
        if is_inside {
            self.module(&path);
            self.at += 1;
        } else {
            self.children.push(path);
        }
    }

    /// At `use`.
    fn import(&mut self, module: &mut Module) {
        let line = self.tokens[self.at].line;
        self.at += 1;
        let mut found = Vec::new();
        self.use_tree(Vec::new(), &mut found);
        for (path, name) in found {
            module.paths.push((path.clone(), line));
            if let Some(name) = name {
                module.imports.insert(name, path);
            }
        }
    }

    /// Gives each path of the tree, and the name that it goes by; none for all names of a module.
    fn use_tree(&mut self, mut path: Vec<String>, found: &mut Vec<(Vec<String>, Option<String>)>) {
        loop {
            let text = self.text(0).to_owned();
            self.at += 1;
            match text.as_str() {
                "::" => {}
                "*" => return found.push((path, None)),
                "{" => {
                    while !matches!(self.text(0), "}" | "") {
                        self.use_tree(path.clone(), found);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "" => return,
                _ => {
                    path.push(text);
                    if self.text(0) == "::" {
                        continue;
                    }
                    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                        path.pop();
                    }
                    let mut name = path.last().cloned();
                    if self.text(0) == "as" {
                        name = Some(self.text(1).to_owned());
                        self.at += 2;
                    }
                    return found.push((path, name));
                }
            }
        }
    }

    /// At `crate::`, `super::` or `self::`.
    fn path(&mut self, module: &mut Module) {
        let is_inside_longer = self.at > 0 && matches!(self.tokens[self.at - 1].text.as_str(), "::" | "$");
        let line = self.tokens[self.at].line;
        let mut path = vec![self.text(0).to_owned()];
        self.at += 1;
        while self.text(0) == "::" && self.text(1).starts_with(|c: char| c == '_' || c.is_alphabetic()) {
            path.push(self.text(1).to_owned());
            self.at += 2;
        }
        if !is_inside_longer {
            module.paths.push((path, line));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;

    use super::Modules;

    /// A crate of these files: the module's path with `::`, and its text.
    pub(in super::super) fn modules(files: &[(&str, &str)]) -> Modules {
        let mut modules = Modules::default();
        for (path, text) in files {
            let names = path.split("::").filter(|name| !name.is_empty());
            modules.add(
                &names.map(str::to_owned).collect(),
                PathBuf::from(format!("{path}.rs")),
                text,
            );
        }
        modules
    }

    fn uses(files: &[(&str, &str)]) -> Vec<String> {
        let uses = modules(files).uses();
        let line = |used: &super::Use| format!("{} -> {}", used.from.join("::"), used.to.join("::"));
        uses.iter().map(line).collect()
    }

    #[test]
    fn each_way_to_name_another_module_is_found() {
        let root = ("", "mod a; mod b; pub use b::Thing as Renamed; pub use b::*;");
        for (text, expected) in [
            ("use crate::b::Thing;", &["a -> b"][..]),
            ("use super::b;", &["a -> b"]),
            (
                "use crate::{b::{self, Thing}, c};",
                &["a -> b", "a -> b", "a -> "],
            ),
            (
                "fn f() -> crate::b::Thing { super::b::f() }",
                &["a -> b", "a -> b"],
            ),
            ("use crate::b as other; use other::Thing;", &["a -> b", "a -> b"]),
            // The name is only handed on by the root.
            ("use crate::Renamed;", &["a -> b"]),
            ("mod inner { use super::super::b::Thing; }", &["a::inner -> b"]),
            // Neither another crate nor a test counts, nor what is not code.
            ("use serde::b; use std::fmt;", &[]),
            ("#[cfg(test)] mod tests { use crate::b; }", &[]),
            ("#[cfg(test)] #[derive(X)] struct A([u8; 3]); // crate::b", &[]),
            ("const X: &str = \"crate::b::X\";", &[]),
            ("fn f() -> impl Sized + use<'_> {} pub(crate) fn g() {}", &[]),
        ] {
            let found = uses(&[root, ("a", text), ("b", "pub struct Thing;")]);
            let of_a: Vec<&String> = found.iter().filter(|used| used.starts_with('a')).collect();
            assert_eq!(of_a, expected, "{text}");
        }
    }

    #[test]
    fn names_that_stand_for_each_other_end() {
        let found = uses(&[
            ("", "mod a; use b as c; use c as b; use self::b::X;"),
            ("a", "use super::b;"),
        ]);
        assert!(found.iter().all(|used| !used.ends_with("-> b")), "{found:?}");
    }
}
