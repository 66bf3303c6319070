//! A caller of the library meets one error type, and an interruption stays one wherever the stop comes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use carryall::{
    AddOptions, Carrier, CheckDepth, CheckoutOptions, Error, ErrorKind, ImageOptions, Monitor,
    PackOptions, PushOptions, RepairOptions, Silent, Store,
};

use crate::registry_troubles::uploads;
use crate::testkit::bytes::noise;
use crate::testkit::registry_parts::client_options;
use crate::testkit::{made, shown};

/// Asks for a stop from a certain question on.
struct StopAt {
    asked: AtomicU64,
    at: u64,
}

impl Monitor for StopAt {
    fn stop_asked(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.at
    }
}

/// Stops the work at its first questions, and then at fewer and fewer of them, until it comes to its end.
#[track_caller]
fn is_stopped_anywhere<T>(what: &str, mut work: impl FnMut(&dyn Monitor) -> Result<T, Error>) {
    let mut stops = 0;
    let mut at = 0;
    loop {
        let asked = AtomicU64::new(0);
        match work(&StopAt { asked, at }) {
            Ok(_) => break,
            Err(error) => {
                let seen = (error.kind(), error.code());
                let expected = (ErrorKind::Interrupted, "interrupted");
                assert_eq!(seen, expected, "{what}, question {at}: {error:?}");
            }
        }
        stops += 1;
        at += 1 + at / 4;
    }
    assert!(stops >= 3, "{what} ends after {stops} stops");
}

/// A store with files that take more than one piece of work, and an image.
fn filled(folder: &Path, options: &AddOptions) -> Store {
    let store = Store::create(&folder.join("store")).unwrap();
    let given = folder.join("given");
    fs::create_dir(&given).unwrap();
    fs::write(given.join("large"), noise(1, 3_000_000)).unwrap();
    fs::write(given.join("stream.gz"), gzip_of_text()).unwrap();
    let image = made::docker_classic(&[shown::web(), shown::api()]);
    fs::write(given.join("image.tar"), image).unwrap();
    add(&store, folder, options, &Silent).unwrap();
    store
}

fn gzip_of_text() -> Vec<u8> {
    crate::testkit::archives::gzip(&crate::testkit::bytes::text(3, 900_000))
}

fn add(
    store: &Store,
    folder: &Path,
    options: &AddOptions,
    monitor: &dyn Monitor,
) -> Result<carryall::AddReport, Error> {
    let name = "shop:1.0".parse().unwrap();
    carryall::add(store, &name, &[folder.join("given")], options, monitor)
}

#[test]
fn a_stop_is_an_interruption_wherever_it_comes_in_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut ready = AddOptions::default();
    ready.keep_ready = true;
    let store = filled(dir.path(), &ready);
    let name = "shop:1.0".parse().unwrap();
    let out = dir.path().join("out");
    is_stopped_anywhere("add", |monitor| {
        let other = dir.path().join("other");
        let _ = fs::remove_dir_all(&other);
        let store = Store::create(&other)?;
        add(&store, dir.path(), &ready, monitor)
    });
    is_stopped_anywhere("checkout", |monitor| {
        let _ = fs::remove_dir_all(&out);
        carryall::checkout(&store, &name, &out, &CheckoutOptions::default(), monitor)
    });
    for form in [
        carryall::options::ImageForm::OciLayout,
        carryall::options::ImageForm::DockerArchive,
    ] {
        let options = ImageOptions::new(form);
        is_stopped_anywhere("checkout of images", |monitor| {
            let _ = fs::remove_dir_all(&out).or_else(|_| fs::remove_file(&out));
            carryall::checkout_images(&store, &name, &out, &options, monitor)
        });
    }
    let root = carryall::release(&store, &name).unwrap();
    is_stopped_anywhere("show", |monitor| carryall::show(&store, &root, monitor));
    is_stopped_anywhere("check", |monitor| {
        carryall::check(&store, CheckDepth::Data, &[], monitor)
    });
}

#[test]
fn a_stop_is_an_interruption_wherever_it_comes_on_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), &AddOptions::default());
    let name = "shop:1.0".parse().unwrap();
    let root = carryall::release(&store, &name).unwrap();
    let mut options = PackOptions::new("12MB".parse().unwrap());
    options.spare = Some(1);
    let discs = dir.path().join("discs");
    let mut volumes = Vec::new();
    is_stopped_anywhere("pack", |monitor| {
        let _ = fs::remove_dir_all(&discs);
        let releases = [root.clone()];
        let packed = carryall::pack(&store, &releases, &discs, &options, &mut |_| (), monitor)?;
        volumes.clone_from(&packed.volumes);
        Ok(packed)
    });
    is_stopped_anywhere("verify", |monitor| carryall::verify(&volumes, monitor));
    is_stopped_anywhere("receive", |monitor| {
        let site = dir.path().join("site");
        let _ = fs::remove_dir_all(&site);
        carryall::receive(&Store::create(&site)?, &volumes, monitor)
    });
    fs::remove_dir_all(&volumes[0]).unwrap();
    is_stopped_anywhere("repair", |monitor| {
        let to = dir.path().join("repaired");
        let _ = fs::remove_dir_all(&to);
        carryall::repair(
            &volumes[1..],
            &to,
            Carrier::Folders,
            &RepairOptions::default(),
            monitor,
        )
    });
    let mut options = PushOptions::default();
    options.client = client_options();
    is_stopped_anywhere("push", |monitor| {
        let (server, _) = uploads(None);
        carryall::push(&store, &name, &server.host, &options, monitor)
    });
}

/// What these items give on, with the modules that it comes from.
fn given_on(items: &[syn::Item], names: &mut Vec<Vec<String>>) {
    for item in items {
        match item {
            syn::Item::Use(item) if matches!(item.vis, syn::Visibility::Public(_)) => {
                leaves(&item.tree, &mut Vec::new(), names);
            }
            // `options`, `report` and `error`.
            syn::Item::Mod(inner) => {
                let inner = inner.content.iter().flat_map(|(_, items)| items);
                given_on(&inner.cloned().collect::<Vec<_>>(), names);
            }
            _ => {}
        }
    }
}

fn all_given_on() -> Vec<Vec<String>> {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let mut names = Vec::new();
    given_on(&syn::parse_file(&text).unwrap().items, &mut names);
    names
}

/// Functions that the crate's root gives on.
fn functions_given_on() -> Vec<Vec<String>> {
    let mut names = all_given_on();
    names.retain(|path| {
        let name = path.last().unwrap();
        // A module is given on whole.
        let place = Path::new("src").join(path.join("/"));
        let is_module = place.is_dir() || place.with_extension("rs").is_file();
        path[0] == "ops" && name.starts_with(char::is_lowercase) && !is_module
    });
    names
}

fn leaves(tree: &syn::UseTree, before: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, out);
            before.pop();
        }
        syn::UseTree::Name(name) => {
            out.push([&before[..], &[name.ident.to_string()]].concat());
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, out);
            }
        }
        _ => {}
    }
}

/// The error type of a public function in a file.
fn error_in(file: &Path, function: &str) -> Option<String> {
    let file = syn::parse_file(&fs::read_to_string(file).ok()?).unwrap();
    file.items.into_iter().find_map(|item| {
        let syn::Item::Fn(item) = item else {
            return None;
        };
        if item.sig.ident != function || matches!(item.vis, syn::Visibility::Inherited) {
            return None;
        }
        let syn::ReturnType::Type(_, returned) = item.sig.output else {
            return None;
        };
        let syn::Type::Path(returned) = *returned else {
            return None;
        };
        let result = returned.path.segments.into_iter().last()?;
        let syn::PathArguments::AngleBracketed(arguments) = result.arguments else {
            return None;
        };
        match arguments.args.into_iter().last()? {
            syn::GenericArgument::Type(syn::Type::Path(error)) => {
                Some(error.path.segments.last()?.ident.to_string())
            }
            _ => None,
        }
    })
}

/// The error type of a function: in its module's file, or in one that the module gives it on from.
fn error_of(path: &[String]) -> Option<String> {
    let (function, module) = path.split_last()?;
    let module = Path::new("src").join(module.join("/"));
    let beside = module.read_dir().into_iter().flatten();
    let beside = beside.map(|entry| entry.unwrap().path());
    let mut files = [module.with_extension("rs"), module.join("mod.rs")]
        .into_iter()
        .chain(beside.filter(|path| path.is_file()));
    files.find_map(|file| error_in(&file, function))
}

#[test]
fn every_function_at_the_root_has_the_same_error() {
    let functions = functions_given_on();
    assert!(functions.len() >= 25, "{functions:?}");
    for path in functions {
        assert_eq!(error_of(&path).as_deref(), Some("Error"), "{path:?}");
    }
    let inner = ["AddError", "CheckoutError", "LoadError", "StoreError"];
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let (root, _) = text.split_once("pub mod error {").unwrap();
    assert!(inner.iter().all(|name| !root.contains(name)));
    // The search finds what it is for.
    let other = ["oci", "registry", "push", "push"].map(str::to_owned);
    assert_eq!(error_of(&other).as_deref(), Some("RegistryError"));
}

/// Values and records of the formats, whose parts are fixed.
const VALUES: [&str; 3] = ["Platform", "ReleaseRoot", "Receipt"];

/// The structs with public fields, and the enums of errors, that are not open to further fields or causes.
fn closed_types(folder: &Path, given: &BTreeSet<String>, seen: &mut usize) -> Vec<String> {
    let mut closed = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            closed.extend(closed_types(&path, given, seen));
            continue;
        }
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
        for item in file.items {
            let (name, attributes) = match item {
                syn::Item::Struct(item)
                    if item.fields.iter().any(|field| {
                        field.ident.is_some() && matches!(field.vis, syn::Visibility::Public(_))
                    }) =>
                {
                    (item.ident.to_string(), item.attrs)
                }
                syn::Item::Enum(item) if item.ident.to_string().contains("Error") => {
                    (item.ident.to_string(), item.attrs)
                }
                _ => continue,
            };
            if !given.contains(&name) || VALUES.contains(&&name[..]) {
                continue;
            }
            *seen += 1;
            let mut attributes = attributes.iter();
            if !attributes.any(|attribute| attribute.path().is_ident("non_exhaustive")) {
                closed.push(name);
            }
        }
    }
    closed
}

#[test]
fn options_reports_and_errors_may_get_further_parts() {
    let given = all_given_on().into_iter();
    let given: BTreeSet<String> = given.filter_map(|path| path.last().cloned()).collect();
    let mut seen = 0;
    let closed = closed_types(Path::new("src"), &given, &mut seen);
    assert!(closed.is_empty(), "{closed:?}");
    assert!(seen >= 100, "{seen} types are known");
    // The search finds what it is for.
    let value = ["Platform".to_owned(), "ChunkRef".to_owned()].into();
    let closed = closed_types(Path::new("src"), &value, &mut seen);
    assert_eq!(closed, ["ChunkRef"]);
}
