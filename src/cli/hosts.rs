//! What images are called where they are pushed: `--map HOST=PREFIX`, `--keep-host` and `--as NAME`.

use std::str::FromStr;

use carryall::oci::image::{Reference, is_host, is_repository};
use carryall::ops::publish::repositories::{Hosts, OtherHosts};

use crate::cli::usage::BadValue;

/// A host in names of images, and what stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMap {
    /// The host, in lower case.
    pub host: String,
    /// The part of the path that stands for it; may be empty.
    pub prefix: String,
}

impl FromStr for HostMap {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (host, prefix) = text.split_once('=').ok_or(BadValue::NotAHostMap)?;
        let prefix = prefix.trim_matches('/');
        if !is_host(host) {
            return Err(BadValue::NotAHost(host.to_owned()));
        }
        if !prefix.is_empty() && !is_repository(prefix) {
            return Err(BadValue::NotAPath(prefix.to_owned()));
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            prefix: prefix.to_owned(),
        })
    }
}

/// A name that an image gets in a registry: `REPOSITORY[:TAG]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName(pub Reference);

impl FromStr for NewName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let name: Reference = text.parse().map_err(BadValue::Reference)?;
        if name.host.is_some() || name.digest.is_some() {
            return Err(BadValue::NotAName);
        }
        Ok(Self(name))
    }
}

/// What becomes of hosts; errs with a host that is mapped twice, and differently.
pub fn hosts(maps: &[HostMap], others: OtherHosts) -> Result<Hosts, String> {
    let mut hosts = Hosts {
        others,
        ..Hosts::default()
    };
    for HostMap { host, prefix } in maps {
        let there = hosts.maps.insert(host.clone(), prefix.clone());
        if there.is_some_and(|there| there != *prefix) {
            return Err(host.clone());
        }
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn maps_are_read_and_contradictions_refused() {
        let of = |text: &str| text.parse::<HostMap>();
        let map = of("A.example:5000=/vendor/a/").unwrap();
        assert_eq!(
            (&map.host[..], &map.prefix[..]),
            ("a.example:5000", "vendor/a")
        );
        assert_eq!(of("docker.io=").unwrap().prefix, "");
        for bad in [
            "a.example",
            "=x",
            "a b=x",
            "a.example=Upper",
            "a.example=a//b",
            "a.example=../b",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
        let twice = [of("a=x").unwrap(), of("a=y").unwrap()];
        assert_eq!(hosts(&twice, OtherHosts::Dropped), Err("a".to_owned()));
    }
}
