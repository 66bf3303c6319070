//! Parses the `Link` header, which gives the next page of a list.

/// Most bytes of a header that are parsed.
const HEADER_BYTES_MAX: usize = 8 << 10;

/// Returns the target with `rel="next"`, an absolute URL or one below the host. Returns `None` when the list ends here.
pub fn next(header: &str) -> Option<&str> {
    if header.len() > HEADER_BYTES_MAX {
        return None;
    }
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let inner = &rest[start + 1..];
        let end = inner.find('>')?;
        let (target, behind) = (&inner[..end], &inner[end + 1..]);
        let parameters_end = behind.find('<').unwrap_or(behind.len());
        let is_next = behind[..parameters_end].split([';', ',']).any(|parameter| {
            let parameter: String = parameter.split_whitespace().collect();
            let value = parameter
                .strip_prefix("rel=")
                .map(|value| value.trim_matches('"'));
            value.is_some_and(|value| value.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = behind;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_as_registries_send_them() {
        let header = "</v2/web/tags/list?n=2&last=b>; rel=\"next\"";
        assert_eq!(next(header), Some("/v2/web/tags/list?n=2&last=b"));
        assert_eq!(next("<a>; rel=prev, <b>; title=x; rel = next"), Some("b"));
        assert_eq!(next("<a>; rel=prev"), None);
        assert_eq!(next("<a"), None);
        assert_eq!(next(""), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_ignored(text in "(<|>|;|,|rel=|next|\"|\\PC){0,60}") {
            let _ = next(&text);
        }
    }
}
