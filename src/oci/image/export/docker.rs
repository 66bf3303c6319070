//! The files of a docker archive.

use std::collections::HashSet;

use serde::Serialize;

use super::{ExportError, ExportPlan, blob_file, bytes_file, missing};
use crate::content::recipe::ChunkSource;
use crate::content::recipe::body::FileBody;
use crate::oci::image::{Image, Images, Reference};

/// Plans a docker archive.
pub(super) fn docker_archive<S: ChunkSource>(
    source: &S,
    images: &Images,
    chosen: &[&Image],
) -> Result<ExportPlan, ExportError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct ArchiveManifest {
        config: String,
        repo_tags: Vec<String>,
        layers: Vec<String>,
    }
    let mut entries = Vec::new();
    let (mut configs, mut layers) = (Vec::new(), Vec::new());
    let mut unnamed = Vec::new();
    let mut met = HashSet::new();
    for image in chosen {
        if !image.runs() {
            let image = image.name();
            return Err(ExportError::NotRunnable { image });
        }
        let config = &image.config.digest;
        let config_path = format!("{}.json", config.hex());
        if met.insert(config_path.clone()) {
            let body = images.blob(config).ok_or_else(|| missing(image, config))?;
            configs.push(blob_file(config_path.clone(), config, *body));
        }
        let mut paths = Vec::new();
        for (layer, diff_id) in image.layers.iter().zip(&image.diff_ids) {
            let path = format!("{}.tar", diff_id.hex());
            if met.insert(path.clone()) {
                let digest = &layer.digest;
                let body = images.blob(digest).ok_or_else(|| missing(image, digest))?;
                // The plain tar is stored already. All readers take it, and nothing has to be compressed again.
                let file = match body.opened(source)? {
                    Some(plain) => blob_file(path.clone(), diff_id, FileBody::Content(plain)),
                    None => blob_file(path.clone(), digest, *body),
                };
                layers.push(file);
            }
            paths.push(path);
        }
        let (tags, others) = tags_of(image);
        unnamed.extend(others);
        entries.push(ArchiveManifest {
            config: config_path,
            repo_tags: tags,
            layers: paths,
        });
    }
    let manifest = serde_json::to_vec(&entries).expect("strings are always JSON");
    let mut files = vec![bytes_file("manifest.json", manifest)];
    files.append(&mut configs);
    files.append(&mut layers);
    Ok(ExportPlan { files, unnamed })
}

/// Returns the names that docker accepts, with their tags, and those that it does not.
fn tags_of(image: &Image) -> (Vec<String>, Vec<String>) {
    let mut tags = Vec::new();
    let mut others = Vec::new();
    for text in &image.references {
        match text.parse::<Reference>() {
            Ok(mut reference) if reference.digest.is_none() => {
                reference.tag.get_or_insert_with(|| "latest".to_owned());
                let tag = reference.to_string();
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
            _ => others.push(text.clone()),
        }
    }
    (tags, others)
}
