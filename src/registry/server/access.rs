//! Who may pull: names and bcrypt hashes of passwords, as `htpasswd -B` writes them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Semaphore;

use crate::image::Digest;
use crate::registry::{RegistryError, tls};

/// Checked headers that are remembered: a check takes a good part of a second.
const REMEMBERED_MAX: usize = 256;
/// Checks at a time.
const CHECKS_AT_A_TIME: usize = 2;
/// Dearer hashes than this would let anyone keep the machine busy.
const COST_MAX: u32 = 16;

/// Names and hashes.
pub struct Access {
    users: Option<Vec<(String, String)>>,
    /// Digests of `Authorization` values that were found right.
    right: Mutex<HashSet<Digest>>,
    checks: Semaphore,
}

impl Access {
    /// Reads a file of passwords; without one everyone may pull.
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

    /// Whether a request with this `Authorization` header may be answered.
    pub async fn allows(&self, authorization: Option<&str>) -> bool {
        let Some(users) = &self.users else {
            return true;
        };
        let Some(authorization) = authorization else {
            return false;
        };
        let digest = Digest::of(authorization.as_bytes());
        if self.right().contains(&digest) {
            return true;
        }
        let Some((name, password)) = name_and_password(authorization) else {
            return false;
        };
        let found = users.iter().find(|(user, _)| *user == name);
        // A name that is not there takes as long as a wrong password.
        let hash = found.or(users.first()).map(|(_, hash)| hash.clone());
        let (Some(hash), Ok(_permit)) = (hash, self.checks.acquire().await) else {
            return false;
        };
        let check = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash));
        let is_right = found.is_some() && matches!(check.await, Ok(Ok(true)));
        if is_right {
            let mut right = self.right();
            if right.len() >= REMEMBERED_MAX {
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

fn users(path: &Path) -> Result<Vec<(String, String)>, RegistryError> {
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
        users.push((name.to_owned(), hash.to_owned()));
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
