//! Reads OCI layouts: what `index.json` lists, through nested indexes.
//!
//! Children that an index lists and the archive does not have are not a fault, because exports of one platform leave
//! the others out.

mod manifest_image;
mod subject;

use std::collections::HashSet;

use self::subject::attached_to;
use crate::base::diagnostic::diagnostic;
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::oci::image::attached::{self, digest_tag};
use crate::oci::image::context::{ImageContext, ImageFault, Scene, Scheme, of_part};
use crate::oci::image::document::{
    CONTAINERD_NAME, DOCKER_CONFIG, Document, INDEX_DEPTH_MAX, REF_NAME, RawDescriptor,
};
use crate::oci::image::files::Absent;
use crate::oci::image::{
    DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Digest, ImageIndex, IndexChild, OCI_INDEX,
    OCI_MANIFEST, Platform, Reference, is_index, is_manifest,
};

/// Annotations with the name of an image, as cosign writes them.
const COSIGN_NAMES: [&str; 2] = [
    "dev.cosignproject.cosign/imageRef",
    "dev.sigstore.cosign/imageRef",
];
/// Most manifests of one layout that are read.
const MANIFESTS_MAX: usize = 1 << 16;

/// A manifest in a layout that was read and matches its digest.
#[derive(Clone)]
pub(super) struct ListedManifest {
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Vec<u8>,
    pub(super) document: Document,
    pub(super) references: Vec<String>,
    /// Whether the names are its own, and not those of the index around it.
    pub(super) naming: Naming,
    /// The platform that its index states.
    pub(super) platform: Option<Platform>,
    /// Whether an index says that it is an attestation of a build.
    is_attestation: bool,
    /// The digest that the layout says it is attached to, and the end of the tag that expresses this in a registry.
    attached: Option<(Digest, &'static str)>,
}

/// The owner of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Its own.
    Own,
    /// The index around it. Being a child of an index does not give a name.
    Index,
}

impl ListedManifest {
    /// Returns the descriptor of the config.
    pub(super) fn config(&self) -> Option<Descriptor> {
        self.document.config.as_ref()?.checked()
    }
}

/// The manifests of a layout that are present.
#[derive(Default)]
pub(super) struct ImageLayout {
    pub(super) manifests: Vec<ListedManifest>,
}

/// A blob that a manifest names, with its path and content. A layer that must not be distributed may have neither.
type ManifestBlob = (Descriptor, Option<Vec<u8>>, Option<FileBody>);

/// The surroundings of a descriptor.
struct Around<'i> {
    /// Names of the index around it.
    references: &'i [String],
    /// Number of indexes around it.
    depth: usize,
    /// What the layout says that it is attached to.
    attached: Option<(Digest, &'static str)>,
}

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Reads what the index of a layout lists. Keeps indexes and referrers, and returns the manifests of images.
    pub(super) fn layout(
        &mut self,
        scene: &Scene<'_>,
        index: &Document,
    ) -> Result<ImageLayout, RecipeError> {
        let mut layout = ImageLayout::default();
        let mut met: HashSet<(Digest, Vec<String>)> = HashSet::new();
        let all: &[RawDescriptor] = index.manifests.as_deref().unwrap_or_default();
        let mut known: Option<HashSet<String>> = None;
        for (number, raw) in all.iter().enumerate() {
            let around = Around {
                references: &[],
                depth: 0,
                attached: attached_to(scene, all, number),
            };
            if is_revision(scene, raw) {
                // Revisions come after all tags. Only untagged ones are left then, and these may have been removed.
                let known = known.get_or_insert_with(|| {
                    met.iter().map(|(digest, _)| digest.to_string()).collect()
                });
                if known.insert(raw.digest.clone()) {
                    self.listed(scene, raw, &around, &mut met, &mut layout)?;
                }
                continue;
            }
            let is_there = self.listed(scene, raw, &around, &mut met, &mut layout)?;
            if !is_there {
                let why = ImageFault::bad(&raw.digest, Absent::Missing);
                let name = reference_of(scene, raw).unwrap_or_default();
                self.judge::<()>(scene, &name, Err(why))?;
            }
        }
        Ok(layout)
    }

    /// Follows a descriptor of an index. Returns false when the archive does not have it.
    fn listed(
        &mut self,
        scene: &Scene<'_>,
        raw: &RawDescriptor,
        around: &Around<'_>,
        met: &mut HashSet<(Digest, Vec<String>)>,
        layout: &mut ImageLayout,
    ) -> Result<bool, RecipeError> {
        self.monitor.check_stop()?;
        // Something attached to an image is noted under the image's name, and has no name of its own.
        let is_attached = around.attached.is_some() || attached::is_referrer_kind(raw);
        let named = reference_of(scene, raw).filter(|_| !is_attached && around.depth == 0);
        let (references, naming) = match named {
            Some(name) => (vec![name], Naming::Own),
            None => (around.references.to_vec(), Naming::Index),
        };
        let subject = references.first().cloned().unwrap_or_default();
        // The check comes before reading, because a short index could name a long one many times.
        if let Some(named) = raw.checked()
            && met.contains(&(named.digest, references.clone()))
        {
            return Ok(true);
        }
        let read = self.blob_document(scene, raw);
        let read = match read {
            Ok(None) => return Ok(false),
            Ok(Some(read)) => Ok(read),
            Err(fault) => Err(fault),
        };
        let Some((descriptor, bytes, document)) = self.judge(scene, &subject, read)? else {
            return Ok(true);
        };
        if !met.insert((descriptor.digest.clone(), references.clone())) {
            return Ok(true);
        }
        // Hostile indexes may list one another many times, so depth and number are bounded.
        if around.depth >= INDEX_DEPTH_MAX || met.len() > MANIFESTS_MAX {
            let why = ImageFault::bad(&descriptor.digest, diagnostic!("image.too_many_indexes"));
            self.judge::<()>(scene, &subject, Err(why))?;
            return Ok(true);
        }
        self.tell_size(scene, &subject, raw, &descriptor);
        if is_index(&descriptor.media_type) {
            self.index(
                scene,
                (descriptor, bytes, &document),
                (references, naming),
                around,
                met,
                layout,
            )?;
            return Ok(true);
        }
        let listed = ListedManifest {
            is_attestation: attached::is_attestation(raw)
                && (around.depth > 0 || naming == Naming::Index),
            platform: raw.platform(),
            descriptor,
            bytes,
            document,
            references,
            naming,
            attached: around.attached.clone(),
        };
        self.sort(scene, listed, layout)?;
        Ok(true)
    }

    /// Reports a wrong length in a manifest. The digest is right, so it is the intended blob.
    fn tell_size(
        &mut self,
        scene: &Scene<'_>,
        subject: &str,
        raw: &RawDescriptor,
        is: &Descriptor,
    ) {
        // The storage of a registry states no lengths.
        let is_unsaid = raw.size.is_none() && *scene.scheme == Scheme::Storage;
        if raw.size == Some(is.bytes) || is_unsaid {
            return;
        }
        let said = raw
            .size
            .map_or_else(|| "?".to_owned(), |said| said.to_string());
        let what = diagnostic!("image.other_length_kept", bytes = is.bytes, said);
        self.note(scene.subject(subject), of_part(&is.digest, what));
    }

    /// Reads and checks a manifest or index. Returns `None` when the archive does not have it.
    fn blob_document(
        &mut self,
        scene: &Scene<'_>,
        raw: &RawDescriptor,
    ) -> Result<Option<(Descriptor, Vec<u8>, Document)>, ImageFault> {
        let Some(mut descriptor) = raw.checked() else {
            let digest: String = raw.digest.chars().take(80).collect();
            let why = diagnostic!("image.no_digest");
            return Err(ImageFault::bad(format!("{digest:?}"), why));
        };
        let body = match scene.blob(&descriptor.digest) {
            Ok((_, body)) => body,
            Err(Absent::Missing) => return Ok(None),
            Err(absent) => return Err(ImageFault::bad(&descriptor.digest, absent)),
        };
        let bytes = self.read_checked(&(&descriptor.digest).into(), &descriptor, &body)?;
        descriptor.bytes = bytes.len() as u64;
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| {
            let why = diagnostic!("image.no_manifest", why = error.to_string());
            ImageFault::bad(&descriptor.digest, why)
        })?;
        descriptor.media_type = media_type(raw, &document).ok_or_else(|| {
            let why = diagnostic!("image.unknown_manifest");
            ImageFault::bad(&descriptor.digest, why)
        })?;
        self.keep_blob(&descriptor.digest, body);
        Ok(Some((descriptor, bytes, document)))
    }

    fn index(
        &mut self,
        scene: &Scene<'_>,
        (descriptor, bytes, document): (Descriptor, Vec<u8>, &Document),
        (references, naming): (Vec<String>, Naming),
        around: &Around<'_>,
        met: &mut HashSet<(Digest, Vec<String>)>,
        layout: &mut ImageLayout,
    ) -> Result<(), RecipeError> {
        let inside = Around {
            references: &references,
            depth: around.depth + 1,
            attached: None,
        };
        let mut children = Vec::new();
        for raw in document.manifests.iter().flatten() {
            let is_there = self.listed(scene, raw, &inside, met, layout)?;
            children.extend(raw.checked().map(|descriptor| IndexChild {
                descriptor,
                platform: raw.platform(),
                is_there,
            }));
        }
        let is_list = |name: &String| digest_tag(name).is_some_and(|tag| !tag.has_suffix);
        let refers = |child: &IndexChild| {
            let mut referrers = self.found.referrers.iter();
            referrers.any(|each| each.descriptor.digest == child.descriptor.digest)
        };
        if references.iter().any(is_list) && children.iter().all(refers) {
            // This is the list of referrers of a registry without the referrers API. It is made anew where it is
            // needed.
            self.keep_manifest(&descriptor, &bytes);
            return Ok(());
        }
        let index = ImageIndex {
            references,
            descriptor,
            bytes,
            children,
        };
        self.keep_index(scene, index, naming);
        Ok(())
    }
}

/// Returns the media type of a document: its own, else that of its descriptor, else the one that its fields imply.
fn media_type(raw: &RawDescriptor, document: &Document) -> Option<String> {
    let known = |text: &&String| is_index(text) || is_manifest(text);
    let said = document.media_type.as_ref().filter(known);
    let said = said.or(raw.media_type.as_ref().filter(known));
    let is_docker = document
        .config
        .as_ref()
        .and_then(|config| config.media_type.as_deref())
        == Some(DOCKER_CONFIG);
    let found = match (document.manifests.is_some(), document.config.is_some()) {
        (true, false) if said.is_some_and(|said| said == DOCKER_LIST) => DOCKER_LIST,
        (true, false) => OCI_INDEX,
        (false, true) if said.is_some_and(|said| is_manifest(said)) => return said.cloned(),
        (false, true) if is_docker => DOCKER_MANIFEST,
        (false, true) => OCI_MANIFEST,
        // Having both or neither is ambiguous. It is either an attack on readers that disagree, or a very old format.
        _ => return None,
    };
    Some(found.to_owned())
}

/// Returns the name that an index gives: a full name, or a tag alone. A tag alone belongs to the repository that the
/// archive is named after.
fn reference_of(scene: &Scene<'_>, raw: &RawDescriptor) -> Option<String> {
    let said = |key| {
        raw.annotation(key)
            .filter(|text| !text.is_empty() && text.len() <= 1024)
    };
    if let Some(name) = said(CONTAINERD_NAME) {
        return Some(name.to_owned());
    }
    let name = said(REF_NAME).or_else(|| COSIGN_NAMES.iter().find_map(|key| said(key)))?;
    if digest_tag(name).is_some_and(|tag| tag.tag == name) {
        // This tag stands for a digest, in whichever repository has it.
        return Some(name.to_owned());
    }
    if name.contains([':', '/']) {
        return Some(name.to_owned());
    }
    let stem = stem(scene);
    match format!("{stem}:{name}").parse::<Reference>() {
        Ok(whole) if !stem.is_empty() => Some(whole.to_string()),
        _ => Some(name.to_owned()),
    }
}

/// Returns whether this is an untagged revision in the storage of a registry.
fn is_revision(scene: &Scene<'_>, raw: &RawDescriptor) -> bool {
    let name = raw.annotation(CONTAINERD_NAME);
    *scene.scheme == Scheme::Storage && name.is_some_and(|name| name.contains('@'))
}

/// Returns the name of the innermost folder or archive, without its extension.
fn stem(scene: &Scene<'_>) -> String {
    let folder = scene.folder_path();
    let path = if folder.is_empty() {
        scene.place.last().map(Vec::as_slice).unwrap_or_default()
    } else {
        &folder
    };
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name).to_lowercase();
    let ends = [".gz", ".tgz", ".tar", ".oci"];
    let mut name = &name[..];
    for end in ends {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    name.to_owned()
}
