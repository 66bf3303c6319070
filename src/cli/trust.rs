//! `trust`: whose sets a site takes.

use std::path::Path;

use carryall::oci::signatures::TrustedImageKey;
use carryall::ops::Error;
use carryall::ops::trust::{self, GoneKey, TrustedKeys};
use carryall::store::{OpenMode, Store, StoreError};

use crate::cli::args::TrustCommand;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, command: &TrustCommand) -> Result<u8, Failure> {
    match command {
        TrustCommand::Add {
            key,
            name,
            images: true,
            patterns,
        } => {
            let public = trust::image_key(key)?;
            let name = name
                .clone()
                .unwrap_or_else(|| name_of(key, || public.sha256()[..16].to_owned()));
            let store = store_or_new(context)?;
            let trusted = trust::add_image_key(&store, &public, &name, patterns)?;
            context.print(&trusted, messages::image_key_trusted)?;
        }
        TrustCommand::Add { key, name, .. } => {
            let public = trust::public_key(key)?;
            let name = name.clone().unwrap_or_else(|| name_of(key, || public.id()));
            let store = store_or_new(context)?;
            let trusted = trust::add(&store, &public, &name)?;
            context.print(&trusted, messages::trusted)?;
        }
        TrustCommand::List => {
            let report = trust::list(&open::store(context, OpenMode::Read)?)?;
            context.print(&report, messages::trust_list)?;
        }
        TrustCommand::Rm { key } => {
            let store = open::store(context, OpenMode::Write)?;
            let gone = trust::remove(&store, key)?;
            let left = trust::list(&store)?.keys.len();
            context.print(&gone, |gone| match gone {
                GoneKey::OfSets(gone) => messages::trusted_no_longer(gone, left),
                GoneKey::OfImages(gone) => messages::image_key_trusted_no_longer(gone),
            })?;
        }
        TrustCommand::Require { no_longer } => {
            let report = trust::require(&store_or_new(context)?, !no_longer)?;
            context.print(&report, messages::trust_list)?;
        }
    }
    Ok(0)
}

/// The name of a key that none was given for: that of its file, else its id.
fn name_of(given: &str, id: impl FnOnce() -> String) -> String {
    let path = Path::new(given);
    match path.file_stem() {
        Some(stem) if path.is_file() => stem.to_string_lossy().into_owned(),
        _ => id(),
    }
}

/// A site says whom it trusts before the first set comes.
fn store_or_new(context: &Context) -> Result<Store, Failure> {
    let dir = open::store_dir(context)?;
    let store = match Store::open(&dir, OpenMode::Write) {
        Err(StoreError::NotAStore { .. }) => Store::create(&dir),
        other => other,
    };
    Ok(store.map_err(Error::from)?)
}

/// The keys that are trusted here, for naming signers: without a store, or when they cannot be read, there are none.
pub fn known_here(context: &Context) -> TrustedKeys {
    let dir = open::store_dir(context).ok();
    let known = dir.and_then(|dir| TrustedKeys::in_folder(&dir).ok());
    known.unwrap_or_default()
}

/// The keys that must have signed images. `None` when no signature is asked for.
pub fn required_keys(
    store: &Store,
    is_required: bool,
) -> Result<Option<Vec<TrustedImageKey>>, Failure> {
    if !is_required {
        return Ok(None);
    }
    Ok(Some(TrustedKeys::of(store)?.for_images()))
}
