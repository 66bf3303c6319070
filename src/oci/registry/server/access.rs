//! Decides who may pull, by names and bcrypt hashes of passwords as `htpasswd -B` writes them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Semaphore;

use crate::oci::image::Digest;
use crate::oci::registry::{RegistryError, tls};

/// Most checked headers that are remembered, because a check takes a good part of a second.
const REMEMBERED_MAX: usize = 256;
/// Checks at a time.
const CHECKS_AT_A_TIME: usize = 2;
/// Highest cost of a hash. A higher one would let anyone keep the machine busy.
const COST_MAX: u32 = 16;

/// A user who may pull.
#[derive(Debug, Clone)]
struct User {
    name: String,
    hash: String,
    /// Cost of the hash: checking it takes 2 to this power.
    cost: u32,
}

/// Names and hashes.
pub(crate) struct AccessRules {
    users: Option<Vec<User>>,
    /// Digests of `Authorization` values that were found right.
    right: Mutex<HashSet<Digest>>,
    checks: Semaphore,
}

impl AccessRules {
    /// Reads a file of passwords. Without one everyone may pull.
    pub fn read(path: Option<&Path>) -> Result<Self, RegistryError> {
        let users = match path {
            None => None,
            Some(path) => Some(users(path)?),
        };
        Ok(Self {
            users,
            right: Mutex::default(),
            checks: Semaphore::new(CHECKS_AT_A_TIME),
        })
    }

    /// Returns whether a request with this `Authorization` header may be answered.
    pub async fn allows(&self, authorization: Option<&str>) -> bool {
        let Some(users) = &self.users else {
            return true;
        };
        let Some(authorization) = authorization else {
            return false;
        };
        // Only a digest is remembered, so that no password stays in memory.
        let digest = Digest::of(authorization.as_bytes());
        if self.right().contains(&digest) {
            return true;
        }
        let Some((name, password)) = name_and_password(authorization) else {
            return false;
        };
        let found = users.iter().find(|user| user.name == name).cloned();
        let cost_max = users.iter().map(|user| user.cost).max().unwrap_or(COST_MAX);
        // The permit bounds how many cores a flood of wrong passwords can occupy.
        let Ok(_permit) = self.checks.acquire().await else {
            return false;
        };
        let check = tokio::task::spawn_blocking(move || check(&password, found.as_ref(), cost_max));
        let is_right = matches!(check.await, Ok(true));
        if is_right {
            let mut right = self.right();
            if right.len() >= REMEMBERED_MAX {
                // Forgetting all of them only costs each client one more check.
                right.clear();
            }
            right.insert(digest);
        }
        is_right
    }

    fn right(&self) -> std::sync::MutexGuard<'_, HashSet<Digest>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether this is the password of this user. A wrong password takes the time of the most expensive hash for
/// every user, and for unknown ones. The time therefore does not tell which users exist.
fn check(password: &[u8], user: Option<&User>, cost_max: u32) -> bool {
    let hash = user.map(|user| user.hash.as_str());
    if hash.is_some_and(|hash| bcrypt::verify(password, hash).unwrap_or(false)) {
        return true;
    }
    for cost in costs_left(user.map(|user| user.cost), cost_max) {
        // The result is discarded. Only the time matters.
        let _ = std::hint::black_box(bcrypt::hash_with_salt(password, cost, [0; 16]));
    }
    false
}

/// Returns the costs to spend after a check that took 2 to `spent`, or after none, so that all checks take 2 to
/// `cost_max`. The sum 2^c and 2^c + 2^(c+1) + ... + 2^(max-1) makes 2^max.
fn costs_left(spent: Option<u32>, cost_max: u32) -> std::ops::Range<u32> {
    spent.map_or(cost_max..cost_max + 1, |spent| spent..cost_max)
}

fn users(path: &Path) -> Result<Vec<User>, RegistryError> {
    let wrong = |line: usize, why: &str| {
        let why = format!("line {line}: {why}");
        RegistryError::corrupt(path.display().to_string(), why)
    };
    let text = String::from_utf8(tls::read(path)?).map_err(|_| wrong(1, "not text"))?;
    let mut users = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = line.split_once(':');
        let (name, hash) = pair.ok_or_else(|| wrong(number, "not NAME:HASH"))?;
        let parts = hash.parse::<bcrypt::HashParts>();
        let parts =
            parts.map_err(|_| wrong(number, "not a bcrypt hash, as `htpasswd -B` writes them"))?;
        if parts.get_cost() > COST_MAX {
            return Err(wrong(number, "the hash takes too long to check"));
        }
        users.push(User {
            name: name.to_owned(),
            hash: hash.to_owned(),
            cost: parts.get_cost(),
        });
    }
    if users.is_empty() {
        return Err(wrong(1, "no NAME:HASH in it"));
    }
    Ok(users)
}

fn name_and_password(authorization: &str) -> Option<(String, Vec<u8>)> {
    let (scheme, pair) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(pair.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(pair[..colon].to_vec()).ok()?;
    Some((name, pair[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wrong_password_takes_as_much_work_for_every_name_and_for_none() {
        for (spent, cost_max) in [(None, 10), (Some(10), 10), (Some(4), 10), (Some(9), 10)] {
            let first = spent.map_or(0, |cost| 1_u64 << cost);
            let rest: u64 = costs_left(spent, cost_max).map(|cost| 1_u64 << cost).sum();
            assert_eq!(first + rest, 1 << cost_max, "{spent:?}");
        }
    }

    #[test]
    fn only_the_right_password_of_the_right_name_is_right() {
        let hash = bcrypt::hash_with_salt("right", 4, [1; 16]).unwrap();
        let user = User {
            name: "one".to_owned(),
            hash: hash.format_for_version(bcrypt::Version::TwoY),
            cost: 4,
        };
        assert!(check(b"right", Some(&user), 6));
        assert!(!check(b"wrong", Some(&user), 6) && !check(b"right", None, 6));
    }
}
