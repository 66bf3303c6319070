//! Who signed a set: the statement that is signed, the signatures in its superblocks, and which of them are right.
//!
//! The statement is made of the set's root, so it binds geometry, catalog and descriptor, and by their hashes the whole
//! content. It trusts nobody. A superblock with a wrong signature counts as damaged, and keeps no right one out.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::base::signing::{
    self, SIGNATURES_MAX, SecretKey, Signature, SignatureVerdict, SignedBy,
};
use crate::volumes::VolumeError;
use crate::volumes::block::{HEADER_BYTES, SetHeader};
use crate::volumes::blocks::{Blocks, copies_of, read_whole};
use crate::volumes::described::Described;
use crate::volumes::descriptor::{FACT_DATE, SetDescriptor, set_root, signatures_in};
use crate::volumes::media::{CompanionFile, CompanionRoom};
use crate::volumes::recovery::{BlockPlace, Presence};
use crate::volumes::slices::{self, Slices};

/// Name of the file with the statement on every volume.
pub const STATEMENT_NAME: &str = "signed.txt";
/// Most characters of a title in a statement, and of a comment.
const TITLE_CHARS_MAX: usize = 200;
const COMMENT_CHARS_MAX: usize = 300;
/// Most bytes of a statement.
const STATEMENT_MAX: usize = 1024;

/// What superblocks say of who signed a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetSignatures {
    /// Those who signed it, each key once.
    pub signed_by: Vec<SignedBy>,
    /// Signatures that are not right for the set, or not by the key that they name.
    pub wrong: usize,
    /// Signatures by algorithms that this program does not know.
    pub unknown: usize,
}

/// Returns the text that is signed for a set: it names the set and its root.
pub fn statement(set: &SetHeader, root: &[u8; 32], title: &str) -> String {
    let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
    let title = one_line(title, TITLE_CHARS_MAX);
    format!(
        "carryall volume set, statement 1\nset: {}\nblake3: {root}\ntitle: {title}\n",
        set.set_id
    )
}

fn one_line(text: &str, chars_max: usize) -> String {
    let shown = text.trim().chars().take(chars_max);
    shown
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// Signs a set that is about to be written. No clock is asked: the date is that of the set.
pub(crate) fn sign(
    set: &SetHeader,
    descriptor: &SetDescriptor,
    catalog: &[u8],
    signers: &[SecretKey],
) -> Result<(String, Vec<Signature>), VolumeError> {
    let root = set_root(set, catalog, &descriptor.encode(set.block_size)?);
    let statement = statement(set, &root, &descriptor.title);
    let date = descriptor.fact(FACT_DATE);
    let date = date.map_or_else(String::new, |date| format!(" of {date}"));
    let mut comment = format!("carryall set {}{date}", set.set_id.short());
    if !descriptor.releases.is_empty() {
        // A sealed set names none.
        comment = format!("{comment}: {}", descriptor.releases.join(", "));
    }
    let comment = one_line(&comment, COMMENT_CHARS_MAX);
    let sign = |key| Signature::make(key, statement.as_bytes(), &comment);
    let signatures = signers.iter().take(SIGNATURES_MAX).map(sign).collect();
    Ok((statement, signatures))
}

/// Returns the files that stand on every volume of a signed set.
pub(crate) fn files(statement: &str, signatures: &[Signature]) -> Vec<CompanionFile> {
    if signatures.is_empty() {
        return Vec::new();
    }
    let file = |name: String, bytes: &[u8]| CompanionFile {
        name,
        bytes: Arc::new(bytes.to_vec()),
        program: None,
    };
    let mut files = vec![file(STATEMENT_NAME.to_owned(), statement.as_bytes())];
    for (number, signature) in (1..).zip(signatures) {
        files.push(file(file_name(number), signature.file()));
    }
    files
}

/// Returns the name of the file with a signature. Numbers begin at 1.
pub fn file_name(number: usize) -> String {
    format!("signed{number:02}.sig")
}

/// Returns the room that these files take, before the set is known.
pub(crate) fn room_bytes(signers: usize) -> impl Iterator<Item = u64> {
    let sizes = [STATEMENT_MAX as u64].into_iter();
    sizes
        .chain(std::iter::repeat_n(signing::TEXT_MAX as u64, signers))
        .take(if signers == 0 { 0 } else { signers + 1 })
}

/// Returns the superblocks with a signature that is wrong for the set.
pub(crate) fn wrong_superblocks(
    blocks: &dyn Blocks,
    presence: &Presence,
    described: &Described,
) -> Vec<BlockPlace> {
    let statement = statement_of(blocks, described);
    let mut known = BTreeMap::new();
    let mut block = vec![0; blocks.geometry().block_bytes()];
    let mut wrong = Vec::new();
    for place in places(blocks).filter(|place| presence.has(*place)) {
        if read_whole(blocks, place, &mut block)
            && !is_right(
                &signatures_in(blocks.geometry().block_size(), &block[HEADER_BYTES..]),
                &statement,
                &mut known,
            )
        {
            wrong.push(place);
        }
    }
    wrong
}

/// Returns whether no signature of a list is wrong. Superblocks repeat one another, so each list is judged once.
fn is_right(list: &[Signature], statement: &str, known: &mut BTreeMap<Vec<u8>, bool>) -> bool {
    if list.is_empty() {
        return true;
    }
    let judge = || {
        let mut verdicts = list.iter().map(|each| each.judge(statement.as_bytes()));
        verdicts.all(|verdict| verdict != SignatureVerdict::Wrong)
    };
    *known
        .entry(signing::list_to_file(list))
        .or_insert_with(judge)
}

fn statement_of(blocks: &dyn Blocks, described: &Described) -> String {
    let header = blocks.geometry().header();
    statement(header, &described.root, &described.descriptor.title)
}

/// Collects the signatures of all superblocks at hand, and judges them.
pub(crate) fn of_set(
    blocks: &dyn Blocks,
    presence: &Presence,
    described: &Described,
) -> SetSignatures {
    let statement = statement_of(blocks, described);
    let mut found = SetSignatures::default();
    for signature in at_hand(blocks, presence) {
        match signature.judge(statement.as_bytes()) {
            SignatureVerdict::Wrong => found.wrong += 1,
            SignatureVerdict::Unknown => found.unknown += 1,
            SignatureVerdict::Right(by) => {
                if !found.signed_by.iter().any(|each| each.key == by.key) {
                    found.signed_by.push(by);
                }
            }
        }
    }
    found
}

/// Returns the signatures of a set with all that is needed to write them again. A list of which any is wrong is not
/// among them.
pub(crate) fn written(
    blocks: &dyn Blocks,
    presence: &Presence,
    described: &Described,
) -> (String, Vec<Signature>) {
    let statement = statement_of(blocks, described);
    let mut known = BTreeMap::new();
    let size = blocks.geometry().block_size();
    let lists = superblocks(blocks, presence).map(|payload| signatures_in(size, &payload));
    let found = lists
        .filter(|list| !list.is_empty())
        .find(|list| is_right(list, &statement, &mut known));
    (statement, found.unwrap_or_default())
}

fn at_hand(blocks: &dyn Blocks, presence: &Presence) -> Vec<Signature> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let size = blocks.geometry().block_size();
    let payloads = superblocks(blocks, presence);
    for payload in payloads.chain(of_slices(blocks, presence)) {
        for signature in signatures_in(size, &payload) {
            if seen.insert(signature.clone()) {
                found.push(signature);
            }
        }
    }
    found
}

/// Returns the payloads of all superblocks at hand, other copies included.
fn superblocks<'a>(
    blocks: &'a dyn Blocks,
    presence: &'a Presence,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    places(blocks).flat_map(|place| {
        let is_there = presence.has(place);
        let copies = if is_there || presence.seen(place.0) {
            copies_of(blocks, is_there, place)
        } else {
            Vec::new()
        };
        copies
            .into_iter()
            .map(|block| block[HEADER_BYTES..].to_vec())
    })
}

/// Returns the places of all superblocks of a set.
pub(crate) fn places(blocks: &dyn Blocks) -> impl Iterator<Item = BlockPlace> + '_ {
    let geometry = blocks.geometry();
    (1..=geometry.volume_count()).flat_map(|volume_no| {
        let places = geometry.superblocks().into_iter();
        places.map(move |block_no| (volume_no, block_no))
    })
}

/// Joins the slices of damaged superblocks, volume by volume. They are the same on a volume but for their headers.
fn of_slices<'a>(
    blocks: &'a dyn Blocks,
    presence: &'a Presence,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    let geometry = blocks.geometry();
    let hurt = (1..=geometry.volume_count()).filter(|no| presence.has_parts(*no));
    hurt.map(|volume_no| {
        let mut joined = vec![0; geometry.block_bytes()];
        let mut known = Slices::NONE;
        let mut block = vec![0; geometry.block_bytes()];
        for block_no in geometry.superblocks() {
            if let Ok(slices) = blocks.read_slices((volume_no, block_no), &mut block) {
                slices::copy(slices.without(known), &block, &mut joined);
                known = known.or(slices);
            }
        }
        joined.split_off(HEADER_BYTES)
    })
}

/// Returns the room on a medium for the files of so many signers, and for others of these sizes.
pub(crate) fn room_with(signers: usize, others: impl IntoIterator<Item = u64>) -> CompanionRoom {
    CompanionRoom::of(room_bytes(signers).chain(others))
}
