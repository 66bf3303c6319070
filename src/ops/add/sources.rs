//! Sources of `add` besides paths: images in registries, and a stream of bytes. Both are first saved in the store's
//! folder for pulls, and are read from there like paths.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::input::check_name;
use super::{AddError, AddOptions, AddReport, Input, InputPath, add_inputs, inputs};
use crate::base::monitor::Monitor;
use crate::base::own::remove_own;
use crate::base::term::Action;
use crate::content::release::ReleaseName;
use crate::files::LayoutError;
use crate::oci::image::Reference;
use crate::oci::pulls::is_own;
use crate::oci::registry::client::{Client, ClientOptions};
use crate::oci::registry::pull::{PullOptions, Pulled, pull};
use crate::ops::{Error, PULLS, ReleasesMut};

/// Bytes of a stream that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// An image in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryImage {
    /// Its reference, which has a host.
    pub reference: Reference,
    /// Name of the item.
    pub name: String,
}

impl RegistryImage {
    /// Parses what follows `docker://`. Without a host it is Docker Hub, whose official images are in `library/`.
    ///
    /// # Errors
    /// [`crate::oci::image::ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, crate::oci::image::ReferenceError> {
        let mut reference: Reference = text.parse()?;
        let host = reference
            .host
            .clone()
            .unwrap_or_else(|| "docker.io".to_owned());
        reference.host = Some(host.clone());
        if host == "docker.io" && !reference.repository.contains('/') {
            reference.repository = format!("library/{}", reference.repository);
        }
        // Names with colons cannot be written to every file system.
        let what = match (&reference.digest, reference.tag_or_latest()) {
            (_, Some(tag)) => tag.to_owned(),
            (Some(digest), None) => digest.short().to_owned(),
            (None, None) => String::new(),
        };
        let name = format!("{host}_{}_{what}", reference.repository);
        let name = name.replace(['/', ':', '[', ']'], "_");
        Ok(Self { reference, name })
    }
}

/// A stream of bytes that becomes an item.
#[non_exhaustive]
pub struct ItemStream<'a> {
    /// Name of the item.
    pub name: String,
    /// The bytes.
    pub bytes: &'a mut dyn Read,
}

impl<'a> ItemStream<'a> {
    /// Makes the item of this name of these bytes.
    pub fn new(name: impl Into<String>, bytes: &'a mut dyn Read) -> Self {
        Self {
            name: name.into(),
            bytes,
        }
    }
}

/// Everything that is to be added.
#[derive(Default)]
#[non_exhaustive]
pub struct Sources<'a> {
    /// Files and folders.
    pub paths: &'a [InputPath],
    /// Images in registries.
    pub images: &'a [RegistryImage],
    /// Which parts of the images are pulled.
    pub pull: PullOptions,
    /// How the client talks to registries.
    pub client: ClientOptions,
    /// Bytes from elsewhere, such as a pipe.
    pub stream: Option<ItemStream<'a>>,
}

/// Does the same as [`super::add`], and also adds images from registries and a stream.
///
/// # Errors
/// [`Error::Add`], or an interruption. What was pulled so far stays in the store's folder for pulls, and the same command continues there.
pub fn add_sources<R: ReleasesMut>(
    store: &R,
    name: &ReleaseName,
    sources: Sources<'_>,
    options: &AddOptions,
    monitor: &dyn Monitor,
) -> Result<(AddReport, Vec<Pulled>), Error> {
    Ok(add_all(store, name, sources, options, monitor)?)
}

fn add_all<R: ReleasesMut>(
    store: &R,
    name: &ReleaseName,
    sources: Sources<'_>,
    options: &AddOptions,
    monitor: &dyn Monitor,
) -> Result<(AddReport, Vec<Pulled>), AddError> {
    if sources.images.is_empty() && sources.stream.is_none() {
        let report = add_inputs(store, name, &inputs(sources.paths)?, options, monitor)?;
        return Ok((report, Vec::new()));
    }
    let folder = store.place().ok_or(AddError::Nowhere)?.join(PULLS);
    let mut given = if sources.paths.is_empty() {
        Vec::new()
    } else {
        inputs(sources.paths)?
    };
    // A duplicate name is reported before anything is pulled.
    let names = sources
        .images
        .iter()
        .map(|image| (&image.name, PathBuf::from(image.reference.to_string())));
    let stream_name = sources
        .stream
        .iter()
        .map(|stream| (&stream.name, PathBuf::from("-")));
    let mut taken: Vec<(Vec<u8>, PathBuf)> = given
        .iter()
        .map(|input| (input.name.clone(), input.given.clone()))
        .collect();
    for (name, shown) in names.chain(stream_name) {
        check_name(name, &shown)?;
        if let Some((_, first)) = taken.iter().find(|(other, _)| other == name.as_bytes()) {
            return Err(AddError::SameName {
                name: name.clone(),
                first: first.clone(),
                second: shown,
            });
        }
        taken.push((name.clone().into_bytes(), shown));
    }
    let mut pulled = Vec::new();
    for (number, image) in sources.images.iter().enumerate() {
        let host = image.reference.host.clone().unwrap_or_default();
        let client = Client::new(&host, &sources.client)?;
        let layout = folder.join("items").join(number.to_string());
        let pool = folder.join("blobs");
        pulled.push(pull(
            &client,
            &image.reference,
            &sources.pull,
            &pool,
            &layout,
            monitor,
        )?);
        given.push(staged(&image.name, &image.reference.to_string(), layout)?);
    }
    if let Some(stream) = sources.stream {
        let path = folder.join("stream");
        take_stream(stream.bytes, &path, monitor)?;
        given.push(staged(&stream.name, "-", path)?);
    }
    let report = add_inputs(store, name, &given, options, monitor)?;
    clear(&folder)?;
    Ok((report, pulled))
}

/// Removes files that are now in the store as chunks.
fn clear(folder: &Path) -> Result<(), AddError> {
    Ok(remove_own(folder, &is_own).map_err(LayoutError::io(Action::Remove, folder))?)
}

fn staged(name: &str, shown: &str, real: PathBuf) -> Result<Input, AddError> {
    let stat = real
        .symlink_metadata()
        .map_err(LayoutError::io(Action::LookAt, &real))?;
    Ok(Input {
        name: name.as_bytes().to_vec(),
        given: PathBuf::from(shown),
        real,
        stat,
        is_staged: true,
    })
}

fn take_stream(bytes: &mut dyn Read, path: &Path, monitor: &dyn Monitor) -> Result<(), AddError> {
    use std::io::Write;
    let failed = |action| LayoutError::io(action, path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(LayoutError::io(Action::Make, folder))?;
    }
    let mut file = std::fs::File::create(path).map_err(failed(Action::Make))?;
    monitor.start("read", 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        monitor.check_stop()?;
        let count = bytes
            .read(&mut piece)
            .map_err(LayoutError::io(Action::Read, Path::new("-")))?;
        if count == 0 {
            break;
        }
        file.write_all(&piece[..count])
            .map_err(failed(Action::Write))?;
        monitor.advance(count as u64);
    }
    monitor.finish();
    // The same bytes must give the same item, independent of when they came.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .and_then(|()| file.set_modified(std::time::SystemTime::UNIX_EPOCH))
        .map_err(failed(Action::Write))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn images_are_named_for_any_file_system() {
        for (text, reference, name) in [
            (
                "nginx",
                "docker.io/library/nginx",
                "docker.io_library_nginx_latest",
            ),
            ("docker.io/a/b:1", "docker.io/a/b:1", "docker.io_a_b_1"),
            (
                "localhost:5000/shop/web:1.0",
                "localhost:5000/shop/web:1.0",
                "localhost_5000_shop_web_1.0",
            ),
        ] {
            let image = RegistryImage::parse(text).unwrap();
            assert_eq!(
                (image.reference.to_string(), image.name),
                (reference.to_owned(), name.to_owned())
            );
        }
        assert!(RegistryImage::parse("a.b/../x").is_err());
    }
}
