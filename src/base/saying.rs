//! Messages that can be translated: a template, and the parts that fill its places.
//!
//! The library says them in English. The command line may have other words for a template.

use std::borrow::Cow;
use std::fmt;

/// A sentence in English with places `{0}` to `{9}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Template(&'static str);

impl Template {
    /// Makes a template from an English sentence.
    pub const fn new(english: &'static str) -> Self {
        Self(english)
    }

    /// Returns the English words.
    pub fn english(self) -> &'static str {
        self.0
    }

    /// Returns the sentence with all places empty.
    pub fn saying(self) -> Saying {
        Saying {
            template: self,
            parts: Vec::new(),
        }
    }

    /// Returns the sentence with `part` in its first place.
    pub fn with(self, part: impl fmt::Display) -> Saying {
        self.saying().with(part)
    }

    /// Returns the sentence with another sentence in its first place.
    pub fn saying_that(self, part: Saying) -> Saying {
        self.saying().saying_that(part)
    }
}

/// A message: a template and its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    template: Template,
    parts: Vec<Part>,
}

/// The content of a place in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Saying(Saying),
}

impl Saying {
    /// Fills the next place with a text.
    pub fn with(mut self, part: impl fmt::Display) -> Self {
        self.parts.push(Part::Text(part.to_string()));
        self
    }

    /// Fills the next place with a sentence.
    pub fn saying_that(mut self, part: Self) -> Self {
        self.parts.push(Part::Saying(part));
        self
    }

    /// Returns whether the sentence was made from this template.
    pub fn is_of(&self, template: Template) -> bool {
        self.template == template
    }

    /// Returns the sentence in the words that `words` has for its template, or in English when it has none.
    pub fn in_words(&self, words: &dyn Fn(Template) -> Option<Cow<'static, str>>) -> String {
        let template = words(self.template).unwrap_or(Cow::Borrowed(self.template.0));
        let mut rest = &*template;
        let mut out = String::new();
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            let place = rest[at..].get(1..2).and_then(|digit| digit.parse().ok());
            let part = place.and_then(|place: usize| self.parts.get(place));
            match part {
                Some(Part::Text(text)) => out.push_str(text),
                Some(Part::Saying(saying)) => out.push_str(&saying.in_words(words)),
                None => out.push('?'),
            }
            let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }
}

impl From<Template> for Saying {
    fn from(template: Template) -> Self {
        template.saying()
    }
}

impl From<&Self> for Saying {
    fn from(saying: &Self) -> Self {
        saying.clone()
    }
}

impl fmt::Display for Saying {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.in_words(&|_| None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Template = Template::new("{0} is {1}");
    const PART: Template = Template::new("longer than {0}");

    #[test]
    fn a_sentence_is_said_in_the_words_that_are_known() {
        let saying = WHOLE.with("a{0}b").saying_that(PART.with(7));
        assert_eq!(saying.to_string(), "a{0}b is longer than 7");
        let words = |template| (template == WHOLE).then_some("{1}：{0}".into());
        assert_eq!(saying.in_words(&words), "longer than 7：a{0}b");
        // A place without a part shows `?`, and a wrong translation does no harm.
        assert_eq!(WHOLE.with("x").to_string(), "x is ?");
        assert_eq!(PART.with("x").in_words(&|_| Some("{é".into())), "?");
    }
}
