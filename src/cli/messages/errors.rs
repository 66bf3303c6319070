//! Words for what failed or was found, and for what to do next: found by the code of a diagnostic, and by nothing else.
//!
//! The error `store.locked` is said by the message `error-store-locked`, a finding by `finding-store-chunks-lost`. The attribute `hint` says what to do. Where the cause may know
//! better, the attribute is `otherwise`: it stands when no cause has a hint.

use carryall::base::diagnostic::{Arg, Diagnostic};
use carryall::base::size::ByteSize;
use fluent_bundle::FluentValue;

use super::catalog::{Argument, find, in_english};
use super::message;

type Args = Vec<(&'static str, FluentValue<'static>)>;

/// Limits of the system. Whatever met one, lifting it is what helps.
const LIMITS: [&str; 4] = [
    "system.out_of_memory",
    "system.file_too_large",
    "system.quota_exceeded",
    "system.too_many_open_files",
];

/// Codes of command lines that make no sense begin so.
pub const USAGE: &str = "usage.";

/// The argument that stands for a command for each release.
pub const COMMANDS: &str = "commands";

/// What failed, with its causes, in one line.
pub fn said(one: &Diagnostic) -> String {
    let mut text = said_alone(one);
    let details: Vec<String> = one.details().iter().map(said).collect();
    let details = details.join(&message!("separator-detail"));
    let cause = one.cause().map(said).unwrap_or_default();
    for more in [details, cause] {
        // Some errors say what their cause says again.
        if !more.is_empty() && !text.contains(&more) {
            if !text.is_empty() {
                text += &message!("separator-cause");
            }
            text += &more;
        }
    }
    text
}

fn said_alone(one: &Diagnostic) -> String {
    let args = args(one);
    let what = find(&id(one), &args)
        .or_else(|| find(&finding_id(one), &args))
        .unwrap_or_else(|| one.code().to_owned());
    let number = one.args().iter().find_map(|(name, arg)| match arg {
        Arg::Number(number) if *name == "number" => Some(*number),
        _ => None,
    });
    match number {
        Some(number) => message!("system-numbered", what, number),
        None => what,
    }
}

/// What to do about it.
pub fn hint(one: &Diagnostic) -> String {
    let limit = one.chain().find(|cause| LIMITS.contains(&cause.code()));
    limit
        .and_then(|cause| attribute(cause, "hint"))
        .or_else(|| own_hint(one))
        .unwrap_or_else(|| match one.code().starts_with(USAGE) {
            true => message!("hint-usage"),
            false => message!("hint-generic"),
        })
}

/// The hint that is nearest: its own, that of what was seen instead, that of its cause, and what helps otherwise.
fn own_hint(one: &Diagnostic) -> Option<String> {
    attribute(one, "hint")
        .or_else(|| one.details().iter().find_map(own_hint))
        .or_else(|| one.cause().and_then(own_hint))
        .or_else(|| attribute(one, "otherwise"))
}

fn attribute(one: &Diagnostic, name: &str) -> Option<String> {
    find(&format!("{}.{name}", id(one)), &args(one))
}

/// What to do about damage that is left: a line of its own.
pub fn hint_damage() -> String {
    super::hint_line(&message!("hint-damage"))
}

/// What to do when something cannot be read or written, which need not be damage.
pub fn hint_passing() -> String {
    message!("error-store-unreadable.hint")
}

/// `error-store-locked`.
fn id(one: &Diagnostic) -> String {
    format!("error-{}", one.code().replace(['.', '_'], "-"))
}

/// `finding-store-chunks-lost`.
fn finding_id(one: &Diagnostic) -> String {
    format!("finding-{}", one.code().replace(['.', '_'], "-"))
}

/// What failed or was found, in English whatever the locale is: for reports in JSON and for the log.
pub fn english(one: &Diagnostic) -> String {
    in_english(|| said(one))
}

fn args(one: &Diagnostic) -> Args {
    let args = one.args().iter();
    let mut args: Args = args.map(|(name, arg)| (*name, value(arg))).collect();
    if let Some((_, Arg::Names(names))) = one.args().iter().find(|(name, _)| *name == "releases") {
        // To be typed as they stand there. The library knows nothing of commands.
        let each = names.iter().map(|release| message!("command-rm", release));
        let each: Vec<String> = each.collect();
        args.push((COMMANDS, list(&each).value()));
    }
    args
}

fn value(arg: &Arg) -> FluentValue<'static> {
    match arg {
        Arg::Text(text) => text.value(),
        Arg::Term(term) => find(term.id, &[])
            .unwrap_or_else(|| term.english.to_owned())
            .value(),
        Arg::Path(path) => path.value(),
        Arg::Paths(paths) => {
            let names = paths.iter().map(|path| path.to_string_lossy().into_owned());
            list(&names.collect::<Vec<_>>()).value()
        }
        Arg::Number(number) => number.value(),
        Arg::Bytes(bytes) => ByteSize(*bytes).value(),
        Arg::Names(names) => list(names).value(),
        Arg::Volumes(volumes) => super::volumes(volumes).value(),
        Arg::Said(one) => said(one).value(),
        Arg::Caught(caught) => said(&carryall::ops::diagnose(caught.error())).value(),
    }
}

fn list(names: &[String]) -> String {
    names.join(&message!("separator-name"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::io;

    use carryall::base::diagnostic::Term;
    use carryall::base::envelope::EnvelopeError;
    use carryall::base::term::{Action, Flaw};
    use carryall::content::frame::FrameFeature;
    use carryall::content::recipe::{Excess, RecipeError};
    use carryall::content::release::Refusal;
    use carryall::ops::Error;
    use carryall::store::StoreError;
    use carryall::volumes::VolumeError;
    use carryall::volumes::media::MediaError;

    use super::*;
    use crate::cli::messages::catalog::{LANGUAGES, in_language};

    fn both(error: &Error) -> [String; 2] {
        let one = error.diagnose();
        ["en", "zh_CN"].map(|tag| in_language(tag, || said(&one)))
    }

    #[test]
    fn an_error_is_said_with_its_causes_in_both_languages() {
        let error = Error::from(MediaError::Io {
            path: "/media/a".into(),
            source: io::Error::from_raw_os_error(5),
        });
        assert_eq!(
            both(&error),
            [
                "/media/a: Input/output error (os error 5)",
                "/media/a：读写出错（介质或设备有坏处）（系统错误 5）"
            ]
        );
        let error = Error::from(StoreError::BadRoot {
            stem: "shop@1.0".into(),
            source: EnvelopeError::NotThis,
        });
        let [english, chinese] = both(&error);
        assert!(
            english.ends_with("is damaged: not a carryall file of the kind that belongs here"),
            "{english}"
        );
        assert!(
            chinese.ends_with("的根记录已损坏：不是应在此处的 carryall 文件"),
            "{chinese}"
        );
        let error = Error::from(VolumeError::NotRecoverable {
            volumes: vec![3, 5],
        });
        assert_eq!(error.code(), "volume.not_recoverable");
        assert_eq!(
            both(&error)[0],
            "volumes 3 and 5 cannot be brought back with what is at hand"
        );
    }

    #[test]
    fn a_limit_of_the_system_is_what_a_hint_is_about() {
        let source = io::Error::from(io::ErrorKind::QuotaExceeded);
        let path = "/srv".into();
        let limit = Error::Io { path, source }.diagnose();
        let text = in_language("en", || hint(&limit));
        assert!(text.starts_with("your quota there is used up"), "{text}");
        let none = Error::from(StoreError::ReadOnly {
            path: "/srv".into(),
        })
        .diagnose();
        let text = in_language("en", || hint(&none));
        assert!(
            text.starts_with("nothing that was read has been changed"),
            "{text}"
        );
    }

    #[test]
    fn every_term_of_the_library_has_words_in_every_language() {
        let terms: Vec<Term> = Action::ALL
            .iter()
            .map(|one| one.term())
            .chain(Flaw::ALL.iter().map(|one| one.term()))
            .chain(Refusal::ALL.iter().map(|one| one.term()))
            .chain(Excess::ALL.iter().map(|one| one.term()))
            .chain(FrameFeature::ALL.iter().map(|one| one.term()))
            .collect();
        for term in &terms {
            let english = in_language("en", || find(term.id, &[]));
            assert_eq!(english.as_deref(), Some(term.english), "{}", term.id);
        }
        let ids: BTreeSet<&str> = terms.iter().map(|term| term.id).collect();
        assert_eq!(ids.len(), terms.len(), "two terms have the same id");
        for (tag, source) in LANGUAGES {
            let named = source.lines().filter_map(|line| line.split(" = ").next());
            let named = named.filter(|id| id.starts_with("term-"));
            assert_eq!(named.collect::<BTreeSet<_>>(), ids, "{tag}");
        }
        let damaged = carryall::ops::diagnose(&RecipeError::Corrupt(Flaw::ChunkLength));
        assert_eq!(
            in_language("en", || said(&damaged)),
            "corrupt length of a chunk"
        );
        assert_eq!(
            in_language("zh", || said(&damaged)),
            "已损坏（数据块长度不符）"
        );
    }
}
