//! Documents of images, of any text: what is found in an archive of them is chosen, planned and written, or told of.
#![no_main]

use std::io::Write;

use carryall::oci::image::export::{ImageForm, ExportPlan};
use carryall::oci::image::{Digest, Images};
use carryall::base::monitor::Silent;
use carryall_fuzz::release_of;
use libfuzzer_sys::fuzz_target;

/// Between the documents of the input.
const END: u8 = 0xff;
/// Bytes of the input that stand for digest and length of a document before.
const DIGEST: u8 = 0x80;
const LENGTH: u8 = 0xa0;

/// What is written of the images that were found, at most: one blob may stand in many places.
struct Bounded(u64);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = self.0.checked_sub(bytes.len() as u64);
        self.0 = left.ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Puts digests and lengths of documents before into one, so that they can name one another.
fn filled(document: &[u8], before: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in document {
        let of = |base: u8| {
            byte.checked_sub(base)
                .and_then(|no| before.get(usize::from(no)))
        };
        if let Some(named) = of(LENGTH) {
            out.extend(named.len().to_string().bytes());
        } else if let Some(named) = of(DIGEST).filter(|_| *byte < LENGTH) {
            out.extend(Digest::of(named).as_str().bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

fuzz_target!(|input: &[u8]| {
    let mut documents: Vec<Vec<u8>> = Vec::new();
    for part in input.split(|byte| *byte == END).take(24) {
        documents.push(filled(part, &documents));
    }
    let mut files = vec![(
        "oci-layout".to_owned(),
        br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
    )];
    // The last two are docker's list and the index; both may be the same.
    let named = ["index.json", "manifest.json"];
    for (name, document) in named.iter().zip(documents.iter().rev()) {
        files.push(((*name).to_owned(), document.clone()));
    }
    for document in &documents {
        let path = format!("blobs/sha256/{}", Digest::of(document).hex());
        files.push((path, document.clone()));
    }
    let (memory, root) = release_of(&files);
    let images = Images::find(&memory, &root, &Silent).expect("the item can be read");
    for (name, digest) in images.references() {
        assert!(
            images
                .resolve(name)
                .is_some_and(|found| found.descriptor.digest == *digest)
        );
    }
    for image in images.images() {
        for form in [ImageForm::DockerArchive, ImageForm::OciLayout] {
            if let Ok(plan) = ExportPlan::plan(&memory, &images, &[image], form) {
                let _ = plan.write_tar(&memory, &mut Bounded(1 << 20), &Silent);
            }
        }
    }
});
