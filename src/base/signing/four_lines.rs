//! The text of a signature: four lines as minisign has them, whatever the algorithm.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// What the lines of a signature stand for.
pub(super) struct FourLines<'a> {
    /// Algorithm, number of the key, and signature of the message.
    pub(super) line: Vec<u8>,
    /// The comment that is signed, too.
    pub(super) comment: &'a str,
    /// Signature of the first signature and the comment.
    pub(super) whole: Vec<u8>,
}

impl<'a> FourLines<'a> {
    /// Reads the lines. Returns `None` for what is no signature.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next()?.strip_prefix(UNTRUSTED)?;
        let line = STANDARD.decode(lines.next()?).ok()?;
        let comment = lines.next()?.strip_prefix(TRUSTED)?;
        let whole = STANDARD.decode(lines.next()?).ok()?;
        lines.next().is_none().then_some(Self {
            line,
            comment,
            whole,
        })
    }

    /// Writes the lines. `about` is a comment that nobody signs.
    pub(super) fn write(&self, about: &str) -> String {
        let (line, whole) = (STANDARD.encode(&self.line), STANDARD.encode(&self.whole));
        let comment = self.comment;
        format!("{UNTRUSTED}{about}\n{line}\n{TRUSTED}{comment}\n{whole}\n")
    }

    /// Returns the comment when both signatures are right. `algorithm` and `number` stand before the first one, which is of
    /// `message`.
    pub(super) fn comment_if(
        self,
        algorithm: &[u8],
        number: &[u8],
        message: &[u8],
        is_right: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Option<String> {
        let signature = self.line.strip_prefix(algorithm)?.strip_prefix(number)?;
        let signed = [signature, self.comment.as_bytes()].concat();
        let is_signed = is_right(message, signature) && is_right(&signed, &self.whole);
        is_signed.then(|| self.comment.to_owned())
    }
}
