//! Credentials from docker's config file: `auths`, `credHelpers` and `credsStore`.
//!
//! The file is read and never written. Helpers are run as docker runs them: `docker-credential-NAME get` with the host
//! on its input.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::RegistryError;

/// Most bytes of the config file and of a helper's output.
const CONFIG_BYTES_MAX: u64 = 4 << 20;
/// The key under which docker keeps the credentials of Docker Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The name that helpers use for an identity token.
const TOKEN_USER: &str = "<token>";

/// The message of all helpers for a registry without credentials.
const NOT_FOUND: &str = "credentials not found";

/// The credentials for a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Name and password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that is exchanged for others.
    IdentityToken(String),
}

/// Never shows a secret.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Credentials")
    }
}

impl Credentials {
    /// Returns the value of an `Authorization` header. Returns `None` for identity tokens, which are exchanged first.
    pub fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                let pair = STANDARD.encode(format!("{user}:{password}"));
                Some(format!("Basic {pair}"))
            }
            Self::IdentityToken(_) => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DockerConfig {
    auths: HashMap<String, Auth>,
    #[serde(rename = "credsStore")]
    creds_store: Option<String>,
    #[serde(rename = "credHelpers")]
    cred_helpers: HashMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Auth")
    }
}

/// Returns `$DOCKER_CONFIG/config.json`, or else `~/.docker/config.json`.
pub fn config_path() -> Option<PathBuf> {
    let variable = |name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let folder = variable("DOCKER_CONFIG").or_else(|| Some(variable("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// Returns the credentials in the config file for a registry (`HOST[:PORT]`). Returns `None` when it has none, or there
/// is no file.
///
/// # Errors
/// [`RegistryError::Credentials`] when the file or its helper is unusable.
pub fn find(config: &Path, host: &str) -> Result<Option<Credentials>, RegistryError> {
    let unusable = |why: String| RegistryError::Credentials { why };
    let mut text = String::new();
    match std::fs::File::open(config) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file
            .and_then(|file| file.take(CONFIG_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| unusable(format!("{}: {error}", config.display())))?,
    };
    // The parser's message could quote the text around the error, which may be a password.
    let config: DockerConfig = serde_json::from_str(&text).map_err(|error| {
        unusable(format!(
            "{}: not JSON as docker writes it, line {}",
            config.display(),
            error.line()
        ))
    })?;
    let keys = keys(host);
    let helper = keys.iter().find_map(|key| config.cred_helpers.get(key));
    if let Some(helper) = helper {
        return ask_helper(helper, &keys);
    }
    if let Some(helper) = config
        .creds_store
        .as_ref()
        .filter(|helper| !helper.is_empty())
        && let Some(found) = ask_helper(helper, &keys)?
    {
        return Ok(Some(found));
    }
    keys.iter()
        .find_map(|key| config.auths.get(key))
        .map_or(Ok(None), |auth| read_auth(host, auth))
}

/// Returns the keys that docker and podman use for a host.
fn keys(host: &str) -> Vec<String> {
    let mut keys = vec![
        host.to_owned(),
        format!("https://{host}"),
        format!("https://{host}/"),
        format!("https://{host}/v1/"),
        format!("https://{host}/v2/"),
        format!("http://{host}"),
    ];
    if matches!(
        host,
        "docker.io" | "registry-1.docker.io" | "index.docker.io"
    ) {
        keys.insert(0, HUB_KEY.to_owned());
        keys.push("docker.io".to_owned());
        keys.push("index.docker.io".to_owned());
    }
    keys
}

fn read_auth(host: &str, auth: &Auth) -> Result<Option<Credentials>, RegistryError> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(token) = filled(&auth.identitytoken) {
        return Ok(Some(Credentials::IdentityToken(token)));
    }
    if let (Some(user), Some(password)) = (filled(&auth.username), filled(&auth.password)) {
        return Ok(Some(Credentials::Password { user, password }));
    }
    let Some(pair) = filled(&auth.auth) else {
        return Ok(None);
    };
    let unusable = || RegistryError::Credentials {
        why: format!("what docker's config file says of {host} is not base64 of NAME:PASSWORD"),
    };
    let pair = STANDARD.decode(pair.trim()).map_err(|_| unusable())?;
    let pair = String::from_utf8(pair).map_err(|_| unusable())?;
    let (user, password) = pair.split_once(':').ok_or_else(unusable)?;
    Ok(Some(Credentials::Password {
        user: user.to_owned(),
        password: password.trim_end_matches('\0').to_owned(),
    }))
}

#[derive(Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

fn ask_helper(helper: &str, keys: &[String]) -> Result<Option<Credentials>, RegistryError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    // The name becomes part of a command, so it must not lead to another folder.
    if !helper.chars().all(is_plain) {
        let why = format!("the helper's name in docker's config file is none: {helper:?}");
        return Err(RegistryError::Credentials { why });
    }
    // Helpers know a host by one key: that of Docker Hub, or the host itself.
    for key in keys.iter().take(2) {
        if let Some(found) = run_helper(helper, key)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn run_helper(helper: &str, key: &str) -> Result<Option<Credentials>, RegistryError> {
    let program = format!("docker-credential-{helper}");
    let unusable = |why: String| RegistryError::Credentials {
        why: format!("{program}: {why}"),
    };
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| unusable(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read its input reports this by its exit code.
        let _ = input.write_all(key.as_bytes());
    }
    let mut said = Vec::new();
    if let Some(output) = child.stdout.take() {
        let _ = output.take(CONFIG_BYTES_MAX).read_to_end(&mut said);
    }
    let status = child.wait().map_err(|error| unusable(error.to_string()))?;
    if !status.success() {
        let knows_none = String::from_utf8_lossy(&said).contains(NOT_FOUND);
        // The helper's output may contain a secret, so it is not shown.
        return if knows_none {
            Ok(None)
        } else {
            Err(unusable(format!("it failed ({status})")))
        };
    }
    let answer: HelperAnswer = serde_json::from_slice(&said)
        .map_err(|_| unusable("its answer is not understood".to_owned()))?;
    if answer.secret.is_empty() {
        return Ok(None);
    }
    Ok(Some(if answer.user == TOKEN_USER {
        Credentials::IdentityToken(answer.secret)
    } else {
        Credentials::Password {
            user: answer.user,
            password: answer.secret,
        }
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(config: &str, host: &str) -> Result<Option<Credentials>, RegistryError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        find(&path, host)
    }

    fn password(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    #[test]
    fn credentials_stand_where_docker_puts_them() {
        let config = r#"{"auths": {
            "a.b:5000": {"auth": "bWU6YTpi"},
            "https://c.d/v1/": {"username": "u", "password": "p"},
            "https://index.docker.io/v1/": {"auth": "bWU6aHVi"},
            "t.example": {"auth": "eDp5", "identitytoken": "tok"},
            "empty.example": {}}, "HttpHeaders": {"x": "y"}}"#;
        assert_eq!(found(config, "a.b:5000").unwrap(), password("me", "a:b"));
        assert_eq!(found(config, "c.d").unwrap(), password("u", "p"));
        assert_eq!(
            found(config, "registry-1.docker.io").unwrap(),
            password("me", "hub")
        );
        assert_eq!(
            found(config, "t.example").unwrap(),
            Some(Credentials::IdentityToken("tok".to_owned()))
        );
        assert_eq!(found(config, "empty.example").unwrap(), None);
        assert_eq!(found(config, "other").unwrap(), None);
        assert_eq!(find(Path::new("/nowhere/at/all"), "a.b").unwrap(), None);
    }

    #[test]
    fn a_config_that_is_of_no_use_is_told_without_its_secrets() {
        for bad in [
            r#"{"auths": {"a.b": {"auth": "c2VjcmV0"}}}"#,
            r#"{"auths": {"a.b": {"auth": "%%"}}}"#,
            "secret {",
        ] {
            let error = found(bad, "a.b").unwrap_err().to_string();
            assert!(
                error.starts_with("credentials: ") && !error.contains("secret"),
                "{error}"
            );
        }
        let error = found(r#"{"credsStore": "../../bin/sh"}"#, "a.b").unwrap_err();
        assert!(matches!(error, RegistryError::Credentials { .. }));
        assert_eq!(
            format!("{:?}", password("me", "pw").unwrap()),
            "Credentials"
        );
    }
}
