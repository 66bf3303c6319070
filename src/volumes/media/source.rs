//! Sources of blocks: folders, files, images and block devices, recognized by their type and content. Names say only which
//! files are pieces of one.
//!
//! It reads bytes at offsets. `surviving` reads past bad sectors, and `scan` interprets the bytes. Nothing is mapped,
//! because a bad sector under a map would kill the process.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::SMALL_BLOCK_BYTES;
use crate::volumes::media::MediaError;
use crate::volumes::media::images::pieces::{self, MediaPiece, PieceFile};
use crate::volumes::media::images::{OpenStream, SourceForm};
use crate::volumes::media::rescue_map::NamedMaps;
use crate::volumes::media::volume_files::is_volume_file_name;

/// The preferred access pattern of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessPattern {
    /// From several threads.
    Parallel,
    /// From front to back, for drives that seek slowly.
    Sequential,
}

/// A file or device that may hold blocks, or pieces of a file that are one stream. It is open only while it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaSource {
    /// Its path. Of pieces, the first one's.
    pub path: PathBuf,
    /// The bytes that it shows, as many as there were when it was found.
    pub bytes: u64,
    /// Its preferred access pattern.
    pub access: AccessPattern,
    /// How its bytes are made from those of the file.
    pub form: SourceForm,
}

impl MediaSource {
    /// Opens it for reading.
    ///
    /// # Errors
    /// [`MediaError::Io`] when it cannot be opened.
    pub fn open(&self) -> Result<Arc<dyn ReadAt>, MediaError> {
        self.form
            .open(&self.path)
            .map_err(MediaError::io(&self.path))
    }

    /// Returns whether it can be read only once, from front to back: a pipe or a packed file.
    pub fn is_stream(&self) -> bool {
        self.form.is_stream()
    }

    /// Opens a stream for reading. A pipe can be opened once.
    ///
    /// # Errors
    /// [`MediaError::Io`] when it cannot be opened.
    pub(crate) fn open_stream(&self) -> Result<OpenStream, MediaError> {
        let opened = self.form.open_stream(&self.path);
        opened.map_err(MediaError::io(&self.path))
    }

    /// Returns whether it, or one of its pieces, is at or below `path`.
    pub fn is_below(&self, path: &Path) -> bool {
        let pieces = self.form.pieces().iter();
        let mut pieces = pieces.filter_map(|piece| piece.path.as_ref());
        self.path.starts_with(path) || pieces.any(|piece| piece.starts_with(path))
    }
}

/// Lists all sources at or below `paths`, in order: those that are named as volume files, then the rest. A file or block
/// device is a source itself. Of a folder, every regular file that could hold a block is one, sorted by name. Pieces of one file are one source together. Links inside a
/// folder are not followed, because a link is not the medium. Anything unreadable below a folder is a finding. Each file is
/// listed once, however often it is named. A map of ddrescue among the paths is no source, and belongs to an image.
///
/// # Errors
/// [`MediaError::Missing`], [`MediaError::NotAMedium`] or [`MediaError::Io`] for one of `paths` itself.
pub fn find_sources(
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<Vec<MediaSource>, MediaError> {
    let mut found = GivenFiles::default();
    let mut maps = NamedMaps::default();
    for path in paths {
        if is_pipe(path) {
            found.pipes.push(path.clone());
            continue;
        }
        let meta = fs::metadata(path).map_err(MediaError::at(path))?;
        let kind = meta.file_type();
        if kind.is_dir() {
            found.walk(path, monitor)?;
        } else if maps.take(path) {
            continue;
        } else if kind.is_file() {
            found.push(path.clone(), meta.len(), access_of(path), Standing::Named);
            if pieces::is_first_name(path) {
                found.push_neighbors(path);
            }
        } else if kind.is_block_device() {
            // A device that cannot be opened is no medium that could be read past its damage.
            fs::File::open(path).map_err(MediaError::io(path))?;
            found.push(path.clone(), 0, AccessPattern::Sequential, Standing::Named);
        } else {
            return Err(MediaError::NotAMedium { path: path.clone() });
        }
    }
    let mut sources = found.sources(monitor);
    let is_only = sources.len() == 1;
    for source in &mut sources {
        if let Some(map) = maps.take_for(&source.path, is_only) {
            source.form.set_map(map);
        }
    }
    for map in maps.left() {
        let what = diagnostic!("media.map_of_no_image");
        monitor.finding(&Finding::note(map.display().to_string(), what));
    }
    Ok(sources)
}

fn is_named_as_volume(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| is_volume_file_name(&name.to_ascii_lowercase()))
}

/// Returns whether a path is standard input (`-`) or a pipe. Its bytes come once.
pub fn is_pipe(path: &Path) -> bool {
    let is_fifo = || fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo());
    path == Path::new("-") || is_fifo()
}

/// Returns how to read a file. A file of a mounted disc is read like the disc itself, because two readers would send
/// the head to and fro.
#[cfg(target_os = "linux")]
fn access_of(file: &Path) -> AccessPattern {
    const ISO_9660: u64 = 0x9660;
    const UDF: u64 = 0x1501_3346;
    let kind = rustix::fs::statfs(file)
        .ok()
        .and_then(|stat| u64::try_from(stat.f_type).ok());
    match kind {
        Some(ISO_9660 | UDF) => AccessPattern::Sequential,
        _ => AccessPattern::Parallel,
    }
}

#[cfg(not(target_os = "linux"))]
fn access_of(_file: &Path) -> AccessPattern {
    AccessPattern::Parallel
}

/// How a file came to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// It lies beside a first piece that was named. It counts only with that piece.
    Neighbor,
    /// It lies in a folder that was named. A short one counts only as a piece.
    Inside,
    /// It was named.
    Named,
}

/// A file or device that was found.
struct GivenFile {
    file: PieceFile,
    access: AccessPattern,
    standing: Standing,
}

#[derive(Default)]
struct GivenFiles {
    files: Vec<GivenFile>,
    seen: HashMap<PathBuf, usize>,
    pipes: Vec<PathBuf>,
}

impl GivenFiles {
    fn push(&mut self, path: PathBuf, bytes: u64, access: AccessPattern, standing: Standing) {
        // The same file under two names would count as two copies of its blocks.
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if let Some(known) = self.seen.get(&real) {
            let known = &mut self.files[*known].standing;
            *known = standing.max(*known);
            return;
        }
        self.seen.insert(real, self.files.len());
        self.files.push(GivenFile {
            file: PieceFile { path, bytes },
            access,
            standing,
        });
    }

    /// Takes the files beside a first piece.
    fn push_neighbors(&mut self, path: &Path) {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // Without its folder, a piece is read alone.
        let entries = fs::read_dir(folder).into_iter().flatten();
        for entry in entries.filter_map(Result::ok) {
            if let Ok(meta) = entry.metadata()
                && meta.is_file()
            {
                let neighbor = path.with_file_name(entry.file_name());
                self.push(neighbor, meta.len(), access_of(path), Standing::Neighbor);
            }
        }
    }

    /// Joins pieces, and recognizes what each file is.
    fn sources(mut self, monitor: &dyn Monitor) -> Vec<MediaSource> {
        // Names prove nothing, but what is named as a volume file most likely is one, and is looked at first.
        self.files
            .sort_by_key(|found| !is_named_as_volume(&found.file.path));
        let (files, accesses): (Vec<PieceFile>, Vec<(AccessPattern, Standing)>) = self
            .files
            .into_iter()
            .map(|found| (found.file, (found.access, found.standing)))
            .unzip();
        let mut streams: HashMap<usize, Vec<Option<usize>>> = HashMap::new();
        let mut joined = HashSet::new();
        for stream in pieces::streams(&files) {
            let members = || stream.iter().copied().flatten();
            let is_asked = members().any(|index| accesses[index].1 > Standing::Neighbor);
            if let Some(first) = members().min()
                && is_asked
                && members().map(|index| files[index].bytes).sum::<u64>()
                    >= SMALL_BLOCK_BYTES as u64
            {
                joined.extend(members());
                streams.insert(first, stream);
            }
        }
        let pipes = self.pipes.into_iter().map(|path| MediaSource {
            path,
            bytes: 0,
            access: AccessPattern::Sequential,
            form: SourceForm::pipe(),
        });
        let mut sources: Vec<MediaSource> = pipes.collect();
        for (index, file) in files.iter().enumerate() {
            let (access, standing) = accesses[index];
            let is_source = match standing {
                Standing::Neighbor => false,
                Standing::Inside => file.bytes >= SMALL_BLOCK_BYTES as u64,
                Standing::Named => true,
            };
            let pieces = match streams.get(&index) {
                Some(stream) => pieces::pieces(stream, &files),
                None if joined.contains(&index) || !is_source => continue,
                None => Arc::default(),
            };
            let first = pieces.iter().find_map(|piece| piece.path.clone());
            let path = first.unwrap_or_else(|| file.path.clone());
            // What cannot be opened is reported when it is read.
            let (form, bytes) = SourceForm::of(&path, pieces)
                .unwrap_or_else(|_| (SourceForm::default(), file.bytes));
            report_form(&path, &form, monitor);
            sources.push(MediaSource {
                path,
                bytes,
                access,
                form,
            });
        }
        sources.sort_by_key(|source| !is_named_as_volume(&source.path));
        sources
    }

    fn walk(&mut self, root: &Path, monitor: &dyn Monitor) -> Result<(), MediaError> {
        for entry in WalkDir::new(root).sort_by_file_name() {
            monitor.check_stop()?;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    monitor.finding(&unreadable(&path, error));
                    continue;
                }
            };
            let path = entry.path();
            if entry.file_type().is_file() {
                match entry.metadata() {
                    Ok(meta) => {
                        let access = access_of(path);
                        self.push(path.to_owned(), meta.len(), access, Standing::Inside);
                    }
                    Err(error) => monitor.finding(&unreadable(path, error)),
                }
            } else if entry.path_is_symlink() && entry.depth() > 0 {
                let what = diagnostic!("media.link_not_followed");
                monitor.finding(&Finding::note(path.display().to_string(), what));
            }
        }
        Ok(())
    }
}

/// Says what a source was recognized as.
fn report_form(path: &Path, form: &SourceForm, monitor: &dyn Monitor) {
    let subject = || path.display().to_string();
    if !form.pieces().is_empty() {
        let there = |piece: &&MediaPiece| piece.path.is_some();
        let count = form.pieces().iter().filter(there).count();
        let last = form
            .pieces()
            .iter()
            .rev()
            .find_map(|piece| piece.path.as_ref());
        let last = last.and_then(|last| last.file_name()).unwrap_or_default();
        let last = last.to_string_lossy().into_owned();
        let what = diagnostic!("media.joined", count, last);
        monitor.finding(&Finding::note(subject(), what));
        let missing = form.pieces().len() - count;
        if missing > 0 {
            let what = diagnostic!("media.pieces_missing", count = missing);
            monitor.finding(&Finding::damage(subject(), what));
        }
    }
    for note in form.notes() {
        monitor.finding(&Finding::note(subject(), note));
    }
}

/// Reports what cannot be read, also a link that leads back to a folder above it.
fn unreadable(path: &Path, error: walkdir::Error) -> Finding {
    let why = error
        .into_io_error()
        .map_or_else(|| diagnostic!("media.link_loop").into(), Arg::caught);
    let what = diagnostic!("media.cannot_be_read", why);
    Finding::damage(path.display().to_string(), what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::monitor::Recording;
    use crate::volumes::block::BLOCK_BYTES;

    #[test]
    fn folders_are_listed_by_name_without_links_and_doubles() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("in");
        fs::create_dir_all(root.join("b")).unwrap();
        for name in ["z", "a", "b/c"] {
            fs::write(root.join(name), vec![0; BLOCK_BYTES]).unwrap();
        }
        fs::write(root.join("small"), b"x").unwrap();
        fs::write(dir.path().join("out"), vec![0; BLOCK_BYTES]).unwrap();
        std::os::unix::fs::symlink(dir.path().join("out"), root.join("link")).unwrap();
        let heard = Recording::default();
        let sources = find_sources(&[root.clone(), root.join("z")], &heard).unwrap();
        let names: Vec<_> = sources
            .iter()
            .map(|s| s.path.strip_prefix(&root).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a", "b/c", "z"].map(PathBuf::from));
        assert_eq!(heard.findings.lock().unwrap().len(), 1);
        let missing = find_sources(&[dir.path().join("none")], &heard);
        assert!(matches!(missing, Err(MediaError::Missing { .. })));
        let odd = find_sources(&[PathBuf::from("/dev/null")], &heard);
        assert!(matches!(odd, Err(MediaError::NotAMedium { .. })));
    }

    #[test]
    fn pieces_are_one_source_and_short_ones_count_then() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, bytes) in [
            ("v.aa", 40_000),
            ("v.ab", 40_000),
            ("v.ad", 10),
            ("short", 1000),
        ] {
            fs::write(at(name), vec![7; bytes]).unwrap();
        }
        fs::write(at("z"), vec![7; BLOCK_BYTES]).unwrap();
        for paths in [
            vec![dir.path().to_owned()],
            vec![at("v.aa"), at("z")],
            vec![at("v.ad"), at("v.ab"), at("v.aa"), at("z")],
        ] {
            let heard = Recording::default();
            let sources = find_sources(&paths, &heard).unwrap();
            let found: Vec<_> = sources
                .iter()
                .map(|each| (&each.path, each.bytes))
                .collect();
            assert_eq!(
                found,
                [(&at("v.aa"), 120_010), (&at("z"), BLOCK_BYTES as u64)],
                "{paths:?}"
            );
            assert!(sources[0].is_below(&at("v.ad")) && !sources[1].is_below(&at("v.ad")));
            let findings = heard.findings.lock().unwrap();
            let codes: Vec<_> = findings.iter().map(Finding::code).collect();
            assert_eq!(codes, ["media.joined", "media.pieces_missing"]);
        }
        // A later piece alone asks for nothing else.
        assert_eq!(
            find_sources(&[at("v.ab")], &Recording::default())
                .unwrap()
                .len(),
            1
        );
    }
}
