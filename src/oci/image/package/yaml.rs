//! Reads a YAML document as a tree of names and texts. Numbers, dates and tags are not interpreted.
//!
//! The size is bounded: one document, with limits for nodes and depth. Aliases stay aliases, and are followed for a few
//! steps on a query, so that a short document cannot become a long one. Memory: 15 MB for the most nodes, and the
//! document.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScanError};

use super::NAME_BYTES_MAX;

/// Most nodes of a document.
const NODES_MAX: usize = 1 << 18;
/// Deepest nesting of lists and maps.
const DEPTH_MAX: usize = 64;
/// Aliases and merged maps that are followed for one query.
const STEPS_MAX: usize = 64;
/// Map entries that are visited for all queries of one document, because a map may be referenced in many places.
const LOOKS_MAX: usize = 1 << 24;

/// The reason why a document is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum YamlError {
    /// It is not YAML.
    #[error(transparent)]
    Syntax(#[from] ScanError),
    /// It has more nodes, or is deeper, than is read.
    #[error("it has more nodes or levels than are read")]
    TooMuch,
}

/// A document.
#[derive(Debug)]
pub(super) struct Yaml {
    /// The first is the root.
    nodes: Vec<YamlNode>,
    looks_left: Cell<usize>,
}

#[derive(Debug)]
enum YamlNode {
    /// Empty when it is longer than is shown.
    Scalar(String),
    List(Vec<usize>),
    /// Keys and values.
    Map(Vec<(usize, usize)>),
    /// The node that it stands for.
    Alias(usize),
}

/// A place in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentPlace<'a> {
    yaml: &'a Yaml,
    node: usize,
}

/// A list or map that has not ended yet.
struct OpenNode {
    node: usize,
    /// A key without its value so far.
    key: Option<usize>,
}

impl Yaml {
    /// Reads the first document of a text.
    ///
    /// # Errors
    /// [`YamlError`].
    pub(super) fn read(text: &str) -> Result<Self, YamlError> {
        let mut yaml = Self {
            nodes: Vec::new(),
            looks_left: Cell::new(LOOKS_MAX),
        };
        let mut anchors: HashMap<usize, usize> = HashMap::new();
        let mut open: Vec<OpenNode> = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, _) = event?;
            let (node, anchor, opens) = match event {
                Event::Scalar(text, _, anchor, _) => (YamlNode::Scalar(kept(text)), anchor, false),
                Event::SequenceStart(anchor, _) => (YamlNode::List(Vec::new()), anchor, true),
                Event::MappingStart(anchor, _) => (YamlNode::Map(Vec::new()), anchor, true),
                // The anchor came before, because the parser reports an error otherwise.
                Event::Alias(anchor) => match anchors.get(&anchor) {
                    Some(target) => (YamlNode::Alias(*target), 0, false),
                    None => (YamlNode::Scalar(String::new()), 0, false),
                },
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    continue;
                }
                Event::DocumentEnd => break,
                _ => continue,
            };
            let number = yaml.nodes.len();
            if number >= NODES_MAX || (opens && open.len() >= DEPTH_MAX) {
                return Err(YamlError::TooMuch);
            }
            yaml.nodes.push(node);
            if anchor > 0 {
                anchors.insert(anchor, number);
            }
            if let Some(parent) = open.last_mut() {
                yaml.attach(parent, number);
            }
            if opens {
                open.push(OpenNode {
                    node: number,
                    key: None,
                });
            }
        }
        Ok(yaml)
    }

    fn attach(&mut self, parent: &mut OpenNode, child: usize) {
        match self.nodes.get_mut(parent.node) {
            Some(YamlNode::List(list)) => list.push(child),
            Some(YamlNode::Map(entries)) => match parent.key.take() {
                Some(key) => entries.push((key, child)),
                None => parent.key = Some(child),
            },
            _ => {}
        }
    }

    /// Returns the root of the document.
    pub(super) fn root(&self) -> DocumentPlace<'_> {
        DocumentPlace {
            yaml: self,
            node: 0,
        }
    }

    /// Returns the node behind all aliases.
    fn node(&self, mut number: usize) -> Option<&YamlNode> {
        for _ in 0..STEPS_MAX {
            match self.nodes.get(number)? {
                YamlNode::Alias(target) => number = *target,
                node => return Some(node),
            }
        }
        None
    }

    /// Returns what a map, or a map that is merged into it, has under a key.
    fn find(&self, map: usize, key: &str, steps: &mut usize) -> Option<usize> {
        *steps = steps.checked_sub(1)?;
        let Some(YamlNode::Map(entries)) = self.node(map) else {
            return None;
        };
        self.looks_left
            .set(self.looks_left.get().checked_sub(entries.len())?);
        let is = |number: usize, text: &str| matches!(self.node(number), Some(YamlNode::Scalar(own)) if own == text);
        if let Some((_, value)) = entries.iter().find(|(own, _)| is(*own, key)) {
            return Some(*value);
        }
        let merged = entries.iter().filter(|(own, _)| is(*own, "<<"));
        for (_, value) in merged {
            let maps = match self.node(*value) {
                Some(YamlNode::List(maps)) => &maps[..],
                _ => std::slice::from_ref(value),
            };
            for map in maps {
                if let Some(found) = self.find(*map, key, steps) {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// Returns a text as it is stored. A text that is too long to be shown becomes empty.
fn kept(text: Cow<'_, str>) -> String {
    if text.len() > NAME_BYTES_MAX {
        String::new()
    } else {
        text.into_owned()
    }
}

impl<'a> DocumentPlace<'a> {
    /// Returns what a map has under a key, its own or merged into it with `<<`.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        let mut steps = STEPS_MAX;
        let node = self.yaml.find(self.node, key, &mut steps)?;
        Some(Self { node, ..self })
    }

    /// Returns its text, if it has one that is not empty.
    pub(super) fn text(self) -> Option<&'a str> {
        match self.yaml.node(self.node)? {
            YamlNode::Scalar(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Iterates over a map's own keys and values, in order. Leaves out keys that are not text.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'a str, Self)> {
        let entries = match self.yaml.node(self.node) {
            Some(YamlNode::Map(entries)) => &entries[..],
            _ => &[],
        };
        entries.iter().filter_map(move |(key, value)| {
            let key = Self { node: *key, ..self }.text()?;
            let value = Self {
                node: *value,
                ..self
            };
            Some((key, value))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn aliases_and_merges_are_followed() {
        let text =
            "x: &x {image: a, n: &n 1}\ny: &y {<<: *x, image: b}\nz: {<<: [*y, *x]}\nw: *z\n";
        // An alias without an anchor is not YAML.
        assert!(matches!(Yaml::read(text), Err(YamlError::Syntax(_))));
        let text = text.replace("z: {", "z: &z {");
        let yaml = Yaml::read(&text).unwrap();
        let image = |key: &str| yaml.root().get(key)?.get("image")?.text();
        assert_eq!(image("x"), Some("a"));
        assert_eq!(image("y"), Some("b"));
        assert_eq!(image("z"), Some("b"));
        assert_eq!(image("w"), Some("b"));
        let n = yaml.root().get("w").and_then(|w| w.get("n"));
        assert_eq!(n.and_then(DocumentPlace::text), Some("1"));
        assert!(yaml.root().get("q").is_none());
    }

    #[test]
    fn what_is_endless_ends() {
        // A map that is merged into itself, and a bush of maps that all merge one another.
        let own = Yaml::read("a: &a\n  <<: *a\n  b: 1\n").unwrap();
        assert!(own.root().get("a").unwrap().get("none").is_none());
        assert_eq!(
            own.root().get("a").unwrap().get("b").unwrap().text(),
            Some("1")
        );
        let mut text = "m0: &m0 {}\n".to_owned();
        for number in 1..40 {
            let before = number - 1;
            text += &format!("m{number}: &m{number} {{<<: [*m{before}, *m{before}]}}\n");
        }
        let bush = Yaml::read(&text).unwrap();
        assert!(bush.root().get("m39").unwrap().get("none").is_none());
    }

    #[test]
    fn a_map_that_stands_in_many_places_is_not_looked_through_for_ever() {
        let entries: String = (0..50_000)
            .map(|number| format!("  k{number}: 1\n"))
            .collect();
        let places: String = (0..50_000)
            .map(|number| format!("p{number}: *m\n"))
            .collect();
        let yaml = Yaml::read(&format!("m: &m\n{entries}{places}")).unwrap();
        for (_, place) in yaml.root().entries() {
            assert!(place.get("none").is_none());
        }
        assert!(yaml.looks_left.get() < 50_000);
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_refused() {
        let deep = [
            "[".repeat(100),
            "- ".repeat(200_000),
            "? ".repeat(1000),
            "{a: ".repeat(300),
        ];
        for text in deep {
            let error = Yaml::read(&text).unwrap_err();
            assert!(
                matches!(error, YamlError::TooMuch | YamlError::Syntax(_)),
                "{error}"
            );
        }
        assert!(matches!(
            Yaml::read(&"- a\n".repeat(NODES_MAX)),
            Err(YamlError::TooMuch)
        ));
        let long = format!("a: {}\nb: c\n", "x".repeat(NAME_BYTES_MAX + 1));
        let yaml = Yaml::read(&long).unwrap();
        assert!(yaml.root().get("a").unwrap().text().is_none());
        assert_eq!(yaml.root().get("b").unwrap().text(), Some("c"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends_without_a_panic(text in "[-?:,{}\\[\\]&*!|>'\"%@`#<~a-c\\\\ \t\n\r\u{feff}\u{85}]{0,400}") {
            if let Ok(yaml) = Yaml::read(&text) {
                for (key, value) in yaml.root().entries() {
                    let _ = (value.get(key), value.text(), value.entries().count());
                }
            }
        }
    }
}
