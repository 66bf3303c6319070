//! `docs/json.md` as data, and what an object has that it does not say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The type and the meaning of a field.
type Field = (String, String);

/// The document as a script's author reads it.
pub struct Document {
    /// All of it.
    pub text: String,
    /// The fields of each table, by the anchor of its heading.
    tables: BTreeMap<String, BTreeMap<String, Field>>,
    /// The anchors of all reports.
    pub reports: BTreeSet<String>,
    /// The names of all events.
    pub events: BTreeSet<String>,
    /// The kinds of all errors.
    pub kinds: BTreeSet<String>,
    /// The kinds of all findings.
    pub findings: BTreeSet<String>,
}

/// A file of the repository.
pub fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The cells of a row of a table.
fn cells(line: &str) -> Vec<&str> {
    let inside = line.trim_start_matches("| ").trim_end_matches(" |");
    inside.split(" | ").collect()
}

/// The parts of a text that are in backticks.
fn ticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

impl Document {
    /// That of the repository.
    pub fn read() -> Self {
        Self::of(repository("docs/json.md"))
    }

    /// The document with this text.
    pub fn of(text: String) -> Self {
        let mut document = Self {
            text: String::new(),
            tables: BTreeMap::new(),
            reports: BTreeSet::new(),
            events: BTreeSet::new(),
            kinds: BTreeSet::new(),
            findings: BTreeSet::new(),
        };
        let (mut part, mut anchor, mut columns) = (String::new(), String::new(), Vec::new());
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("#") {
                anchor = title.trim_matches(['#', ' ']).replace(' ', "-");
                if line.starts_with("## ") {
                    part.clone_from(&anchor);
                } else if part == "Reports" {
                    document.reports.insert(anchor.clone());
                }
            }
            if !line.starts_with("| ") {
                columns = Vec::new();
            } else if columns.is_empty() {
                columns = cells(line);
            } else if !line.starts_with("| --- ") {
                document.row(&anchor, &columns, &cells(line));
            }
        }
        document.text = text;
        document
    }

    fn row(&mut self, anchor: &str, columns: &[&str], row: &[&str]) {
        let first = row[0].trim_matches('`').to_owned();
        match columns {
            ["field", "type", "meaning"] => {
                let field = (row[1].to_owned(), row[2].to_owned());
                let table = self.tables.entry(anchor.to_owned()).or_default();
                let before = table.insert(first, field);
                assert!(before.is_none(), "{anchor} names {} twice", row[0]);
            }
            ["event", ..] => assert!(self.events.insert(first)),
            ["group", _, "kinds of findings"] => {
                self.findings.extend(ticked(row[2]).map(str::to_owned));
            }
            ["group", _, "kinds"] => self.kinds.extend(ticked(row[2]).map(str::to_owned)),
            _ => {}
        }
    }

    /// What the table of an anchor does not say about an object.
    pub fn faults(&self, anchor: &str, value: &Value) -> Vec<String> {
        let Some(table) = self.tables.get(anchor) else {
            return vec![format!("no table {anchor}")];
        };
        let Some(object) = value.as_object() else {
            return vec![format!("{anchor} is no object: {value}")];
        };
        let mut faults = Vec::new();
        for (name, value) in object {
            match table.get(name) {
                Some(field) => faults.extend(
                    self.misfits(field, value)
                        .iter()
                        .map(|fault| format!("{name}: {fault}")),
                ),
                None => faults.push(format!("{name} is not in the table {anchor}")),
            }
        }
        for (name, (_, meaning)) in table {
            if !object.contains_key(name) && !meaning.contains("Left out when") {
                faults.push(format!("{name} of {anchor} is not printed"));
            }
        }
        faults
    }

    /// What is wrong with the value of a field, by the alternative of its type that fits best.
    fn misfits(&self, (kinds, meaning): &Field, value: &Value) -> Vec<String> {
        let all = kinds
            .split(" or ")
            .map(|kind| self.misfits_of(kind, meaning, value));
        all.min_by_key(Vec::len).unwrap()
    }

    fn misfits_of(&self, kind: &str, meaning: &str, value: &Value) -> Vec<String> {
        let each = |kind: &str, values: &mut dyn Iterator<Item = &Value>| {
            values
                .flat_map(|value| self.misfits_of(kind, meaning, value))
                .collect::<Vec<String>>()
        };
        if let Some(pair) = kind.strip_prefix("list of pairs: ") {
            let is_pair = |value: &Value| value.as_array().is_some_and(|pair| pair.len() == 2);
            let fits = value.as_array().is_some_and(|all| all.iter().all(is_pair));
            return misfit(fits, pair, value);
        }
        if let Some(kind) = kind.strip_prefix("list of ") {
            return match value.as_array() {
                Some(values) => each(kind, &mut values.iter()),
                None => misfit(false, kind, value),
            };
        }
        if let Some(kind) = kind.strip_prefix("map of ") {
            return match value.as_object() {
                Some(values) => each(kind, &mut values.values()),
                None => misfit(false, kind, value),
            };
        }
        if let Some((_, link)) = kind.split_once("](#") {
            return self.faults(link.trim_end_matches(')'), value);
        }
        let fits = match kind {
            "string" | "path" => value.is_string(),
            "word" => ticked(meaning).any(|word| value == word),
            "bytes" | "integer" => value.is_u64(),
            "percent" => value.is_number(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            _ => false,
        };
        misfit(fits, kind, value)
    }

    /// What the document does not say about an event.
    pub fn event_faults(&self, event: &Value) -> Vec<String> {
        let name = event["event"].as_str().unwrap_or_default();
        if !self.events.contains(name) {
            return vec![format!("no event {name}")];
        }
        match name {
            "finding" => self.faults("finding-event", event),
            "top_up" => self.faults("top-up", event),
            "error" => self.error_faults(event),
            _ => self.faults(name, event),
        }
    }

    /// An error has the fields of every error, and any of the others.
    fn error_faults(&self, event: &Value) -> Vec<String> {
        let others = &self.tables["error-fields"];
        let (mut always, mut faults) = (event.clone(), Vec::new());
        for (name, value) in event.as_object().unwrap() {
            if let Some(field) = others.get(name) {
                always.as_object_mut().unwrap().remove(name);
                let misfits = self.misfits(field, value);
                faults.extend(misfits.iter().map(|fault| format!("{name}: {fault}")));
            }
        }
        let causes = event["causes"].as_array().into_iter().flatten();
        let kinds = causes.chain([&event["kind"]]);
        let unknown = kinds.filter(|kind| !self.kinds.contains(kind.as_str().unwrap_or_default()));
        faults.extend(unknown.map(|kind| format!("no kind {kind}")));
        faults.extend(self.faults("error", &always));
        faults
    }
}

fn misfit(fits: bool, kind: &str, value: &Value) -> Vec<String> {
    let fault = || format!("{value} is not: {kind}");
    (!fits).then(fault).into_iter().collect()
}
