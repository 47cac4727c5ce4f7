//! Which file of `src/` names what another file defines, however the name is passed on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Item, ItemUse, Macro, Meta, UseTree, Visibility,
    visit::{self, Visit},
};

/// A path through modules, from the root of the crate.
type Names = Vec<String>;

/// The files of a crate, by their modules.
pub(crate) struct Files(BTreeMap<Names, Module>);

/// What one file says.
#[derive(Default)]
struct Module {
    file: PathBuf,
    children: BTreeSet<String>,
    /// What a name that is brought into scope stands for.
    names: BTreeMap<String, Names>,
    /// Every path that is written in it.
    paths: BTreeSet<Names>,
}

impl Files {
    /// Reads a folder `src/`.
    pub(crate) fn read(src: &Path, files: &[PathBuf]) -> Self {
        let modules = files.iter().map(|file| {
            let relative = file.strip_prefix(src).unwrap().with_extension("");
            let mut names: Names = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if matches!(names.last().map(String::as_str), Some("lib" | "main" | "mod")) {
                names.pop();
            }
            (names, Module::parse(&fs::read_to_string(file).unwrap(), file))
        });
        Self(modules.collect())
    }

    /// The files that each file imports from, without its tests.
    pub(crate) fn imports(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let imports = self.0.iter().map(|(names, module)| {
            let defining = module.paths.iter().filter_map(|path| self.absolute(names, path));
            let files = defining.map(|path| &*self.0[&self.defining(&path)].file);
            (&*module.file, files.filter(|file| *file != module.file).collect())
        });
        imports.collect()
    }

    /// A path of a module, from the root of the crate; `None` where it leads out of the crate or is no path of modules.
    fn absolute(&self, module: &Names, path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let mut start = match &**first {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => {
                let parent = &module[..module.len().checked_sub(1)?];
                return match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(&parent.to_vec(), rest),
                    _ => Some([parent, rest].concat()),
                };
            }
            first if self.0[module].children.contains(first) => [&module[..], &[first.to_owned()]].concat(),
            first => self.absolute(module, self.0[module].names.get(first).filter(|path| path[0] != first)?)?,
        };
        start.extend_from_slice(rest);
        Some(start)
    }

    /// The module that defines what a path leads to: names that a file passes on are followed.
    fn defining(&self, path: &[String]) -> Names {
        let mut module = Names::new();
        for (at, name) in path.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                module = child;
                continue;
            }
            let passed_on = self.0[&module].names.get(name).and_then(|target| self.absolute(&module, target));
            return match passed_on {
                Some(target) if target != path[..=at] => self.defining(&[&target, &path[at + 1..]].concat()),
                _ => module,
            };
        }
        module
    }
}

impl Module {
    fn parse(text: &str, file: &Path) -> Self {
        let mut module = Self { file: file.to_owned(), ..Self::default() };
        for item in syn::parse_file(text).unwrap().items {
            if let Item::Mod(child) = &item {
                module.children.insert(child.ident.to_string());
            }
            module.visit_item(&item);
        }
        module
    }

    fn bring(&mut self, mut path: Names, tree: &UseTree) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.bring(path, &step.tree);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.bring(path.clone(), tree)),
            UseTree::Name(name) if name.ident == "self" => self.name(path.last().cloned().unwrap(), path),
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.name(name.ident.to_string(), path);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.name(rename.rename.to_string(), path);
            }
            UseTree::Glob(_) => _ = self.paths.insert(path),
        }
    }

    fn name(&mut self, name: String, path: Names) {
        self.paths.insert(path.clone());
        self.names.insert(name, path);
    }
}

impl<'a> Visit<'a> for Module {
    fn visit_item(&mut self, item: &'a Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        let is_test = |attribute: &Attribute| match &attribute.meta {
            Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string().contains("test"),
            _ => false,
        };
        if !attributes.iter().any(is_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.bring(Names::new(), &item.tree);
    }

    // Who may see an item is no import.
    fn visit_visibility(&mut self, _: &'a Visibility) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        // What a macro is given need not be Rust, so its paths are read as words that `::` joins.
        let text = called.tokens.to_string().replace(" :: ", "::");
        for path in text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let names: Names = path.split("::").map(str::to_owned).collect();
            if names.len() > 1 && names.iter().all(|name| !name.is_empty() && !name.contains(':')) {
                self.paths.insert(names);
            }
        }
    }
}

/// A cycle of files, each of which imports from the next; `None` where there is none.
pub(crate) fn circle<'a>(imports: &BTreeMap<&'a Path, BTreeSet<&'a Path>>) -> Option<Vec<&'a Path>> {
    let mut done = BTreeSet::new();
    imports.keys().find_map(|file| walk(imports, file, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    imports: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
    file: &'a Path,
    way: &mut Vec<&'a Path>,
    done: &mut BTreeSet<&'a Path>,
) -> Option<Vec<&'a Path>> {
    if let Some(start) = way.iter().position(|passed| *passed == file) {
        return Some(way[start..].to_vec());
    }
    if !done.insert(file) {
        return None;
    }
    way.push(file);
    let found = imports[file].iter().find_map(|next| walk(imports, next, way, done));
    way.pop();
    found
}
