//! `labels`: a page with the labels of volumes, for the printer.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::output::OutputFile;
use crate::base::path_text;
use crate::ops::Error;
use crate::volumes::at_hand::volumes_at_hand;
use crate::volumes::media::labels::{Label, is_labels, labels_html};

/// Labels that were written.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LabelsReport {
    /// The page.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Its labels, in the order of the sheets.
    pub labels: Vec<VolumeLabel>,
}

/// The label of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VolumeLabel {
    /// The set.
    pub set_id: SetId,
    /// Its title.
    pub title: String,
    /// The volume.
    pub volume_no: u16,
    /// Volumes of the set, data and spare.
    pub of_volumes: u32,
    /// Whether it is a spare volume.
    pub spare: bool,
    /// The medium's own number, when numbers were asked for.
    pub number: Option<String>,
}

/// Writes the labels of the volumes at `paths` to `to`, or to `labels-SET.html` in the current folder. With `number`,
/// each medium gets a number of its own, such as `MR-17-3`. A page of labels that is there is replaced.
///
/// # Errors
/// [`Error::NoVolumes`] when there is none. An error when a path cannot be read or the page cannot be written.
pub fn labels(
    paths: &[PathBuf],
    to: Option<&Path>,
    number: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<LabelsReport, Error> {
    let volumes = volumes_at_hand(paths, monitor)?;
    let first = volumes.first().ok_or_else(|| Error::no_volumes(paths))?;
    let place = match to {
        Some(to) => to.to_owned(),
        None => PathBuf::from(format!("labels-{}.html", first.facts.set_id.short())),
    };
    let inputs: Vec<PathBuf> = volumes.iter().map(|volume| volume.path.clone()).collect();
    let file = OutputFile::begin(&place, is_labels, &inputs)?;
    let numbers: Vec<Option<String>> = volumes
        .iter()
        .map(|volume| number.map(|number| format!("{number}-{}", volume.facts.volume_no)))
        .collect();
    let sheets: Vec<Label<'_>> = volumes
        .iter()
        .zip(&numbers)
        .map(|(volume, number)| Label {
            facts: &volume.facts,
            notes: &volume.notes,
            number: number.as_deref(),
        })
        .collect();
    let path = file.finish(labels_html(&sheets).as_bytes())?;
    let labels = volumes
        .iter()
        .zip(numbers)
        .map(|(volume, number)| VolumeLabel {
            set_id: volume.facts.set_id,
            title: volume.facts.title.clone(),
            volume_no: volume.facts.volume_no,
            of_volumes: volume.facts.volume_count(),
            spare: volume.facts.is_spare(),
            number,
        });
    Ok(LabelsReport {
        path,
        labels: labels.collect(),
    })
}
