//! The catalog of messages: finds the words for an id in the person's language.
//!
//! Each language is one Fluent file beside this folder, and the files are compiled in. The sources hold ids and arguments, no
//! words. Another language is another file and its line in [`LANGUAGES`].
//!
//! The language is the locale's: the first of LC_ALL, LC_MESSAGES and LANG that is set. [`use_english`] overrides it for
//! `--json`, so that scripts meet one wording everywhere.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use carryall::base::size::ByteSize;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::cli::terminal::{shown, shown_path};

/// The languages, the first one for every locale that has no file of its own.
pub const LANGUAGES: [(&str, &str); 2] = [
    ("en", include_str!("../en.ftl")),
    ("zh-CN", include_str!("../zh-CN.ftl")),
];

/// A message in the person's language: `message!("store-created", path = dir)`, or `message!("store-created", path)`.
///
/// Every argument is one line: texts are shown harmless, as `terminal::shown` does. A number is there for plurals, and comes
/// out without separators. `"id.hint"` is the attribute `hint` of a message.
macro_rules! message {
    (@value $name:ident) => { &$name };
    (@value $name:ident, $value:expr) => { &$value };
    ($id:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        $crate::cli::messages::catalog::say(
            $id,
            &[$((
                stringify!($name),
                $crate::cli::messages::catalog::Argument::value(
                    $crate::cli::messages::message!(@value $name $(, $value)?)
                ),
            )),*],
        )
    };
}
pub(crate) use message;

/// What can stand in a message.
pub trait Argument {
    /// The value, harmless to a terminal.
    fn value(&self) -> FluentValue<'static>;
}

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> FluentValue<'static> {
        (**self).value()
    }
}

impl Argument for str {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(shown(self).into_owned())
    }
}

impl Argument for String {
    fn value(&self) -> FluentValue<'static> {
        self.as_str().value()
    }
}

impl Argument for Cow<'_, str> {
    fn value(&self) -> FluentValue<'static> {
        self.as_ref().value()
    }
}

impl Argument for Path {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(shown_path(self))
    }
}

impl Argument for PathBuf {
    fn value(&self) -> FluentValue<'static> {
        self.as_path().value()
    }
}

impl Argument for ByteSize {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.to_string())
    }
}

macro_rules! numbers_are_arguments {
    ($($number:ty),*) => {$(
        impl Argument for $number {
            fn value(&self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }
        }
    )*};
}
numbers_are_arguments!(u8, u16, u32, u64, usize, i32, i64);

/// The message of an id in the person's language. An id that nobody wrote words for stands for itself.
pub fn say(id: &str, args: &[(&'static str, FluentValue<'static>)]) -> String {
    find(id, args).unwrap_or_else(|| id.to_owned())
}

/// The message of an id that is put together while the program runs, such as that of an error's code.
pub fn find(id: &str, args: &[(&'static str, FluentValue<'static>)]) -> Option<String> {
    let args = args.iter().map(|(name, value)| (*name, value.clone()));
    MessageCatalog::of(language()).find(id, &args.collect())
}

/// Speaks English from here on, whatever the locale.
pub fn use_english() {
    let _ = CHOSEN.set(0);
}

static CHOSEN: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// What this thread speaks for now, whatever the locale.
    static FOR_NOW: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Speaks English for what is said inside.
pub fn in_english<T>(say: impl FnOnce() -> T) -> T {
    in_one(0, say)
}

fn in_one<T>(language: usize, say: impl FnOnce() -> T) -> T {
    let before = FOR_NOW.replace(Some(language));
    let said = say();
    FOR_NOW.set(before);
    said
}

/// Speaks the language of this tag for what is said inside.
pub fn in_tag<T>(tag: &str, say: impl FnOnce() -> T) -> T {
    in_one(language_of(tag), say)
}

/// The tag of the language that is spoken.
pub fn language_tag() -> &'static str {
    LANGUAGES[language()].0
}

/// The variable that chooses the language, and its value.
pub fn locale() -> Option<(&'static str, String)> {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .map(|name| (name, std::env::var_os(name).unwrap_or_default()))
        .find(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
}

/// Which of the languages is spoken.
fn language() -> usize {
    if let Some(language) = FOR_NOW.get() {
        return language;
    }
    *CHOSEN.get_or_init(|| locale().map_or(0, |(_, locale)| language_of(&locale)))
}

/// The language of a locale such as `zh_CN.UTF-8`: the first whose main part is the same.
fn language_of(locale: &str) -> usize {
    let main = |tag: &str| tag.split(['_', '-', '.', '@']).next().map(str::to_owned);
    let found = LANGUAGES
        .iter()
        .position(|(tag, _)| main(tag) == main(locale));
    found.unwrap_or(0)
}

/// Runs a test in a language.
#[cfg(test)]
pub fn in_language<T>(tag: &str, test: impl FnOnce() -> T) -> T {
    in_one(language_of(tag), test)
}

/// The words of one language.
struct MessageCatalog {
    bundle: FluentBundle<FluentResource>,
}

impl MessageCatalog {
    fn of(language: usize) -> &'static Self {
        static CATALOGS: [OnceLock<MessageCatalog>; LANGUAGES.len()] =
            [const { OnceLock::new() }; LANGUAGES.len()];
        let (tag, source) = LANGUAGES[language];
        CATALOGS[language].get_or_init(|| Self::new(tag, source))
    }

    /// Reads a message file. A test holds the files to be without errors, so that what is read is all that is in them.
    fn new(tag: &str, source: &str) -> Self {
        let tags = tag.parse().into_iter().collect();
        let mut bundle = FluentBundle::new_concurrent(tags);
        // Marks of direction around arguments would get into paths that people copy.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(source.to_owned());
        bundle.add_resource_overriding(resource.unwrap_or_else(|(resource, _)| resource));
        Self { bundle }
    }

    fn find(&self, id: &str, args: &FluentArgs<'_>) -> Option<String> {
        let (id, attribute) = id
            .split_once('.')
            .map_or((id, None), |(id, attribute)| (id, Some(attribute)));
        let message = self.bundle.get_message(id)?;
        let pattern = match attribute {
            None => message.value()?,
            Some(attribute) => message.get_attribute(attribute)?.value(),
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(args), &mut errors);
        Some(text.into_owned())
    }
}
