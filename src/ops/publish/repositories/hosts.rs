//! Rules for the host in an image's name.

use std::collections::BTreeMap;

use crate::oci::image::Reference;

/// Rules for hosts. A host is dropped, becomes the first part of the repository, or is mapped to another part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// The part of the path that replaces a host. An empty part drops it. Keys are in lower case, and take precedence
    /// over `others`.
    pub maps: BTreeMap<String, String>,
    /// The rule for all other hosts.
    pub others: OtherHosts,
}

/// The rule for hosts that are not mapped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OtherHosts {
    /// They are dropped.
    #[default]
    Dropped,
    /// They become the first part of the repository.
    Kept,
}

impl Hosts {
    /// The host of names without one, which is Docker Hub.
    pub const HUB: &str = "docker.io";

    /// Returns the host of a name.
    pub(crate) fn host_of(reference: &Reference) -> &str {
        reference.host.as_deref().unwrap_or(Self::HUB)
    }

    /// Returns the repository that an image gets.
    pub fn repository(&self, reference: &Reference, prefix: Option<&str>) -> String {
        let host = Self::host_of(reference).to_ascii_lowercase();
        let own = match self.maps.get(&host) {
            Some(own) => own.clone(),
            None => match self.others {
                OtherHosts::Dropped => String::new(),
                OtherHosts::Kept => as_component(&host),
            },
        };
        let parts = [prefix.unwrap_or_default(), &own, &reference.repository];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }
}

/// Converts a host to a part of a repository: `registry.example:5000` becomes `registry.example-5000`.
fn as_component(host: &str) -> String {
    let fits =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let words = host.split(|c| !fits(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::oci::image::is_repository;

    #[test]
    fn hosts_are_dropped_kept_or_mapped() {
        let of = |text: &str, hosts: &Hosts, prefix| {
            let repository = hosts.repository(&text.parse().unwrap(), prefix);
            assert!(is_repository(&repository), "{repository}");
            repository
        };
        let mut hosts = Hosts::default();
        assert_eq!(of("A.example:5000/shop/web:1", &hosts, None), "shop/web");
        hosts.others = OtherHosts::Kept;
        assert_eq!(
            of("A.example:5000/shop/web:1", &hosts, Some("site")),
            "site/a.example-5000/shop/web"
        );
        assert_eq!(of("[::1]:5000/web:1", &hosts, None), "1-5000/web");
        assert_eq!(of("web:1", &hosts, None), "docker.io/web");
        hosts
            .maps
            .insert("a.example:5000".to_owned(), "vendor/a".to_owned());
        hosts.maps.insert("docker.io".to_owned(), String::new());
        assert_eq!(
            of("A.example:5000/shop/web:1", &hosts, None),
            "vendor/a/shop/web"
        );
        assert_eq!(of("web:1", &hosts, Some("site")), "site/web");
        assert_eq!(of("b.example/web:1", &hosts, None), "b.example/web");
    }
}
