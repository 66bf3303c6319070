//! The shape of the house: rooms on floors, operations apart, no circles between files, a type's name in one file.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// The rooms, lowest floor first. A room uses rooms of lower floors alone.
const FLOORS: [&[&str]; 6] = [
    &["base", "deflate", "recode"],
    &["content", "volumes"],
    &["files", "oci", "store"],
    &["bundle"],
    &["ops"],
    &["cli"],
];

/// `deflate` could be a crate of its own: it uses nothing of ours.
const ALONE: &str = "deflate";

/// Where operations are, sorted by what people do. Beside them stands what they share, their errors too.
const OPS: &str = "ops";
const OPERATIONS: [&str; 7] = [
    "add", "checkout", "maintain", "media", "pack", "publish", "receive",
];

type Module = Vec<String>;

/// A source file without its tests.
struct File {
    path: PathBuf,
    module: Module,
    /// Paths that it names from `crate`, in full.
    uses: BTreeSet<Module>,
    /// Names that it gives on, and where they come from.
    gives_on: BTreeMap<String, Module>,
    types: BTreeSet<String>,
}

/// Gathers what one file says.
struct Reader {
    module: Module,
    /// Names that it has from elsewhere, and where they come from.
    imports: BTreeMap<String, Module>,
    /// Paths that begin with such a name, or with one of another crate.
    pending: Vec<Module>,
    uses: BTreeSet<Module>,
    gives_on: BTreeMap<String, Module>,
    types: BTreeSet<String>,
}

impl Reader {
    /// A path from the crate's root; `None` for paths into other crates.
    fn path_from_root(&self, path: &[String]) -> Option<Module> {
        let mut from = match path.first()?.as_str() {
            "crate" | "carryall" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            _ => return None,
        };
        for step in &path[1..] {
            match step.as_str() {
                "super" => {
                    from.pop();
                }
                "self" => {}
                step => from.push(step.to_owned()),
            }
        }
        Some(from)
    }

    fn note(&mut self, steps: Module) {
        match self.path_from_root(&steps) {
            Some(full) => {
                self.uses.insert(full);
            }
            None => self.pending.push(steps),
        }
    }

    /// Follows what begins with an imported name, once all imports are known.
    fn settle(&mut self) {
        for steps in std::mem::take(&mut self.pending) {
            if let Some(from) = self.imports.get(&steps[0]) {
                self.uses.insert([&from[..], &steps[1..]].concat());
            }
        }
    }

    fn leaves(tree: &syn::UseTree, before: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                Self::leaves(&path.tree, before, out);
                before.pop();
            }
            syn::UseTree::Name(name) => {
                out.push([&before[..], &[name.ident.to_string()]].concat());
            }
            syn::UseTree::Rename(name) => {
                out.push([&before[..], &[name.ident.to_string()]].concat());
            }
            syn::UseTree::Glob(_) => out.push(before.clone()),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    Self::leaves(tree, before, out);
                }
            }
        }
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_for_tests(&module.attrs) {
            return;
        }
        assert!(
            module.content.is_none(),
            "{:?} has a module in its text: give it a file",
            self.module
        );
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_for_tests(&item.attrs) {
            return;
        }
        let mut leaves = Vec::new();
        Self::leaves(&item.tree, &mut Vec::new(), &mut leaves);
        let is_given_on = !matches!(item.vis, syn::Visibility::Inherited);
        for leaf in leaves {
            // `pub use part::Name` of a module's own part.
            let path = match leaf.first().map(String::as_str) {
                Some("crate" | "carryall" | "self" | "super") => leaf,
                _ => [vec!["self".to_owned()], leaf].concat(),
            };
            let Some(full) = self.path_from_root(&path) else {
                continue;
            };
            if is_given_on {
                self.gives_on
                    .insert(full.last().unwrap().clone(), full.clone());
            }
            self.imports
                .insert(full.last().unwrap().clone(), full.clone());
            self.uses.insert(full);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let steps: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.note(steps);
        visit::visit_path(self, path);
    }

    /// What a macro is given is no syntax yet: its paths are found by their first words.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let words = call.tokens.to_string().replace(" :: ", "::");
        for word in words.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
            let steps: Vec<String> = word.split("::").map(str::to_owned).collect();
            if steps.len() > 1 {
                self.note(steps);
            }
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.types.insert(item.ident.to_string());
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.types.insert(item.ident.to_string());
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.types.insert(item.ident.to_string());
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.types.insert(item.ident.to_string());
        visit::visit_item_type(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// The module that a file below `src` is; empty for the roots.
fn module_of(relative: &Path) -> Module {
    let stem = relative.with_extension("");
    let steps = stem.iter().map(|step| step.to_str().unwrap().to_owned());
    let mut module: Module = steps.collect();
    if module
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&&last[..]))
    {
        module.pop();
    }
    module
}

/// Files that only tests see are in a folder, or are a file, of this name.
fn is_test_file(relative: &Path) -> bool {
    relative
        .with_extension("")
        .iter()
        .any(|step| step == "tests")
}

fn house() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&src, &mut paths);
    paths.sort();
    assert!(paths.len() > 200, "the walk found too few files");
    let mut files = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(&src).unwrap();
        if is_test_file(relative) || ["lib.rs", "main.rs"].contains(&relative.to_str().unwrap()) {
            continue;
        }
        files.push(read(
            relative.to_owned(),
            &fs::read_to_string(&path).unwrap(),
        ));
    }
    files
}

fn read(path: PathBuf, text: &str) -> File {
    let mut reader = Reader {
        module: module_of(&path),
        imports: BTreeMap::new(),
        pending: Vec::new(),
        uses: BTreeSet::new(),
        gives_on: BTreeMap::new(),
        types: BTreeSet::new(),
    };
    reader.visit_file(&syn::parse_file(text).unwrap());
    reader.settle();
    File {
        path,
        module: reader.module,
        uses: reader.uses,
        gives_on: reader.gives_on,
        types: reader.types,
    }
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn rooms_use_rooms_of_lower_floors_alone() {
    let mut faults = Vec::new();
    for file in house() {
        let room = &file.module[0];
        let Some(own) = floor_of(room) else {
            faults.push(format!("{room} is on no floor of tests/it/layers.rs"));
            continue;
        };
        for used in file.uses.iter().filter_map(|path| path.first()) {
            let is_below = floor_of(used).is_none_or(|floor| floor < own);
            if used != room && !is_below {
                faults.push(format!("{} uses {used}", file.path.display()));
            }
            assert!(
                room != ALONE || used == room,
                "{ALONE} uses nothing of ours, but {} uses {used}",
                file.path.display()
            );
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn operations_do_not_use_one_another() {
    let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    assert!(OPERATIONS.iter().all(|name| ops.join(name).is_dir()));
    let is_operation = |name: &str| OPERATIONS.contains(&name);
    let mut faults = Vec::new();
    for file in house() {
        let own = match &file.module[..] {
            [room, own, ..] if room == OPS && is_operation(own) => own,
            _ => continue,
        };
        for used in &file.uses {
            match &used[..] {
                [room, other, ..] if room == OPS && other != own && is_operation(other) => {
                    faults.push(format!("{} uses {}", file.path.display(), used.join("::")));
                }
                _ => {}
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The file that a path leads to, through whatever gives it on.
fn file_of(path: &Module, by_module: &BTreeMap<&[String], &File>) -> Option<PathBuf> {
    let mut path = path.clone();
    for _ in 0..8 {
        let len = (1..=path.len())
            .rev()
            .find(|len| by_module.contains_key(&path[..*len]))?;
        let file = by_module[&path[..len]];
        match path.get(len).and_then(|name| file.gives_on.get(name)) {
            Some(from) if *from != path[..len] => {
                path = [&from[..], &path[len + 1..]].concat();
            }
            // A module that is named whole ties to nothing; what is named in it does.
            _ => return (len < path.len()).then(|| file.path.clone()),
        }
    }
    None
}

/// What each file uses of others. That a part uses what its own folder's `mod.rs` has is no tie: the two are one.
fn ties(files: &[File]) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let by_module: BTreeMap<&[String], &File> =
        files.iter().map(|file| (&file.module[..], file)).collect();
    let mut ties = BTreeMap::new();
    for file in files {
        let above: Vec<&Path> = (0..=file.module.len())
            .filter_map(|len| by_module.get(&file.module[..len]))
            .map(|file| file.path.as_path())
            .collect();
        let used = file
            .uses
            .iter()
            .filter_map(|path| file_of(path, &by_module));
        let used = used.filter(|path| !above.contains(&path.as_path()));
        ties.insert(file.path.clone(), used.collect());
    }
    ties
}

#[test]
fn no_files_use_one_another_in_a_circle() {
    let mut ties = ties(&house());
    // Whoever uses none of those that are left is in no circle.
    loop {
        let free: Vec<PathBuf> = ties
            .iter()
            .filter(|(_, used)| used.iter().all(|path| !ties.contains_key(path)))
            .map(|(path, _)| path.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        for path in free {
            ties.remove(&path);
        }
    }
    // Nor is whoever is used by none of them.
    loop {
        let used: BTreeSet<PathBuf> = ties.values().flatten().cloned().collect();
        let before = ties.len();
        ties.retain(|path, _| used.contains(path));
        if ties.len() == before {
            break;
        }
    }
    let left: Vec<String> = ties
        .iter()
        .map(|(path, used)| {
            let used = used.iter().filter(|path| ties.contains_key(*path));
            let used: Vec<String> = used.map(|path| path.display().to_string()).collect();
            format!("{} uses {}", path.display(), used.join(", "))
        })
        .collect();
    assert!(left.is_empty(), "circles:\n{}", left.join("\n"));
}

#[test]
fn a_type_name_stands_in_one_file() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in house() {
        for name in file.types {
            let places = places.entry(name).or_default();
            places.push(file.path.display().to_string());
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

#[test]
fn uses_are_found_in_every_form() {
    let text = "use crate::store::Store;\nuse crate::{base::id::Hasher, volumes::{plan, write as w}};\n\
        pub use self::part::Given;\nuse super::Above;\nfn f() { let x = crate::content::pack::open(); plan::new(); assert!(super::list(1)); }\n\
        #[cfg(test)] mod tests { use crate::cli::Never; }";
    let file = read("ops/add/mod.rs".into(), text);
    let mut uses: Vec<String> = file.uses.iter().map(|path| path.join("::")).collect();
    uses.sort();
    let expected = [
        "base::id::Hasher",
        "content::pack::open",
        "ops::Above",
        "ops::add::part::Given",
        "ops::list",
        "store::Store",
        "volumes::plan",
        "volumes::plan::new",
        "volumes::write",
    ];
    assert_eq!(uses, expected);
    assert_eq!(file.gives_on["Given"].join("::"), "ops::add::part::Given");
    assert_eq!(floor_of("ops"), Some(4));
}
