//! Parses the `WWW-Authenticate` header, in which a registry asks for credentials.
//!
//! The header comes from the network. Anything that is not understood is ignored.

/// Most bytes of a header that are parsed.
const HEADER_BYTES_MAX: usize = 8 << 10;

/// The credentials that a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token from somewhere else.
    Bearer {
        /// The absolute URL of the token server.
        realm: String,
        /// The name of the registry at the token server.
        service: Option<String>,
        /// The access that is requested.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Parses a header. Prefers a Bearer challenge to a Basic one. Returns `None` when there is neither.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let mut basic = None;
        for (scheme, parameters) in challenges(header) {
            if scheme.eq_ignore_ascii_case("bearer") {
                let get = |name: &str| {
                    let found = parameters
                        .iter()
                        .find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.clone())
                };
                if let Some(realm) = get("realm") {
                    return Some(Self::Bearer {
                        realm,
                        service: get("service"),
                        scope: get("scope"),
                    });
                }
            } else if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
        }
        basic
    }
}

type Parameters = Vec<(String, String)>;

/// Splits a header into schemes and their parameters.
fn challenges(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let word_bytes = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        if word_bytes == 0 {
            return found;
        }
        let (word, behind) = rest.split_at(word_bytes);
        match behind.strip_prefix('=') {
            None => {
                found.push((word.to_owned(), Vec::new()));
                rest = behind;
            }
            Some(value) => {
                let (value, behind) = value_of(value);
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_owned(), value));
                }
                rest = behind;
            }
        }
    }
}

/// Splits a token or a quoted string off the front.
fn value_of(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &inner[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn challenges_as_registries_send_them() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/web:pull,push""#;
        assert_eq!(
            Challenge::parse(hub).unwrap(),
            Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service: Some("registry.docker.io".to_owned()),
                scope: Some("repository:library/web:pull,push".to_owned()),
            }
        );
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        assert_eq!(Challenge::parse("basic"), Some(Challenge::Basic));
        let both = "Basic realm=\"a, b\", Bearer realm=https://t/x, service=\"q\\\"q\"";
        assert_eq!(
            Challenge::parse(both).unwrap(),
            Challenge::Bearer {
                realm: "https://t/x".to_owned(),
                service: Some("q\"q".to_owned()),
                scope: None,
            }
        );
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=\"x\""), None);
        assert_eq!(Challenge::parse(""), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_ignored(text in "(Bearer|Basic|realm|=|\"|,| |\\\\|\\PC){0,60}") {
            let _ = Challenge::parse(&text);
        }
    }
}
