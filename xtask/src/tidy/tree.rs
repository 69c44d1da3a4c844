//! The modules of a crate in the order of their `mod` lines, and what each of their files names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::source;

/// A path of modules from the crate's root; empty for the root itself.
pub type ModulePath = Vec<String>;

/// One module and its file.
#[derive(Debug)]
pub struct Module {
    /// Its path.
    pub path: ModulePath,
    /// Its place among its siblings.
    pub order: usize,
    /// Its file.
    pub file: PathBuf,
    /// Its source without comments, texts and tests.
    pub code: String,
    /// What its `pub use` lines give names to: name -> where it comes from.
    exports: BTreeMap<String, ModulePath>,
}

/// The modules of one crate.
#[derive(Debug)]
pub struct Tree {
    /// By path; the root has the empty one.
    pub modules: BTreeMap<ModulePath, Module>,
}

impl Tree {
    /// Reads the crate whose root file is given. Modules of tests are left out.
    ///
    /// # Errors
    /// When the file of a module is missing.
    pub fn read(root: &Path) -> Result<Tree> {
        let mut tree = Tree { modules: BTreeMap::new() };
        let mut open = vec![(ModulePath::new(), 0, root.to_path_buf())];
        while let Some((path, order, file)) = open.pop() {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let code = source::code(&text);
            for (place, name) in children(&code).into_iter().enumerate() {
                let child: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
                open.push((child, place, child_file(&file, path.is_empty(), &name)?));
            }
            let exports = exports(&code);
            tree.modules.insert(path.clone(), Module { path, order, file, code, exports });
        }
        Ok(tree)
    }

    /// The module that a path leads to: names of items at its end are dropped, `pub use` names followed once.
    pub fn resolve(&self, path: &[String]) -> ModulePath {
        let module = self.deepest(path);
        let followed = self
            .modules
            .get(&module)
            .zip(path.get(module.len()))
            .and_then(|(owner, name)| owner.exports.get(name));
        match followed {
            Some(inner) => self.deepest(&[module, inner.clone()].concat()),
            None => module,
        }
    }

    fn deepest(&self, path: &[String]) -> ModulePath {
        let prefixes = (0..=path.len()).rev().filter_map(|length| path.get(..length));
        prefixes.map(<[String]>::to_vec).find(|prefix| self.modules.contains_key(prefix)).unwrap_or_default()
    }
}

impl Module {
    /// The paths that start with `crate::` or `super::`, from the root, with their lines. Groups are spread out.
    pub fn references(&self) -> Vec<(usize, ModulePath)> {
        let tokens = source::tokens(&self.code);
        let words: Vec<&str> = tokens.iter().map(|(_, token)| *token).collect();
        let mut found = Vec::new();
        for (index, (line, token)) in tokens.iter().enumerate() {
            let first = index == 0 || words.get(index - 1) != Some(&":");
            let follows = words.get(index + 1..index + 3) == Some(&[":", ":"]);
            let base = match *token {
                "crate" if first && follows => Vec::new(),
                "super" if first && follows => self.parent(),
                _ => continue,
            };
            let (base, next) = climb(base, &words, index + 3);
            spread(&words, next, base).0.into_iter().for_each(|path| found.push((*line, path)));
        }
        found
    }

    fn parent(&self) -> ModulePath {
        let mut parent = self.path.clone();
        parent.pop();
        parent
    }
}

/// Follows further `super::` upwards.
fn climb(mut base: ModulePath, words: &[&str], mut next: usize) -> (ModulePath, usize) {
    while words.get(next) == Some(&"super") {
        base.pop();
        next += 3;
    }
    (base, next)
}

/// The paths that the use tree at `next` spells, each behind `base`, and the place after it.
fn spread(words: &[&str], next: usize, base: ModulePath) -> (Vec<ModulePath>, usize) {
    match words.get(next) {
        Some(&"{") => spread_group(words, next + 1, &base),
        Some(word) if is_name(word) => {
            let mut path = base;
            path.push((*word).to_string());
            if words.get(next + 1..next + 3) == Some(&[":", ":"]) {
                spread(words, next + 3, path)
            } else {
                (vec![path], next + 1)
            }
        }
        _ => (vec![base], next + 1),
    }
}

fn spread_group(words: &[&str], mut next: usize, base: &ModulePath) -> (Vec<ModulePath>, usize) {
    let mut paths = Vec::new();
    while let Some(word) = words.get(next) {
        match *word {
            "}" => return (paths, next + 1),
            "," => next += 1,
            "as" => next += 2,
            _ => {
                let (more, after) = spread(words, next, base.clone());
                paths.extend(more);
                next = after;
            }
        }
    }
    (paths, next)
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// The names of `mod name;`, in their order. What `#[path]` takes from another crate's tests is left out.
fn children(code: &str) -> Vec<String> {
    let tokens: Vec<&str> = source::tokens(code).into_iter().map(|(_, token)| token).collect();
    let items = tokens.split(|token| matches!(*token, ";" | "}"));
    let is_here = |item: &&[&str]| !item.windows(2).any(|pair| pair == ["[", "path"]);
    let name = |item: &[&str]| match item {
        [.., "mod", name] => Some((*name).to_string()),
        _ => None,
    };
    items.filter(is_here).filter_map(name).collect()
}

fn child_file(file: &Path, is_root: bool, name: &str) -> Result<PathBuf> {
    let folder = file.parent().context("a source file has a folder")?;
    let own = file.file_stem().unwrap_or_default();
    let beside = if is_root || own == "mod" { folder.to_path_buf() } else { folder.join(own) };
    let places = [beside.join(format!("{name}.rs")), beside.join(name).join("mod.rs")];
    places
        .into_iter()
        .find(|place| place.is_file())
        .with_context(|| format!("{} declares `mod {name}`, which has no file", file.display()))
}

fn exports(code: &str) -> BTreeMap<String, ModulePath> {
    let tokens = source::tokens(code);
    let words: Vec<&str> = tokens.iter().map(|(_, token)| *token).collect();
    let mut exports = BTreeMap::new();
    for (index, _) in words.iter().enumerate().filter(|(_, word)| **word == "use") {
        for path in spread(&words, index + 1, ModulePath::new()).0 {
            if let Some(name) = path.last().cloned()
                && path.len() > 1
                && path.first().is_some_and(|first| first != "crate" && first != "super")
            {
                exports.insert(name, path);
            }
        }
    }
    exports
}
