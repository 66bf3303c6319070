//! `key`: makes the keys that sets are signed with. The passwords of keys are asked for here.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use carryall::base::diagnostic::diagnostic;
use carryall::base::signing::SecretKey;
use carryall::ops::Error;
use carryall::ops::trust::{self, KeyFacts};

use crate::cli::args::KeyCommand;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, terminal};

/// The variable with the password of a key.
const PASSWORD: &str = "CARRYALL_KEY_PASSWORD";
/// Most bytes of a password.
const PASSWORD_MAX: u64 = 1024;

pub fn run(context: &Context, command: &KeyCommand) -> Result<u8, Failure> {
    match command {
        KeyCommand::New {
            file,
            algorithm,
            no_password,
            password_file,
        } => {
            let password = match no_password {
                true => None,
                false => Some(match given_password(password_file.as_deref())? {
                    Some(password) => password,
                    None => new_password()?,
                }),
            };
            let made = trust::make_key(file, (*algorithm).into(), password.as_deref())?;
            context.print(&made, messages::key_made)?;
            Ok(0)
        }
        KeyCommand::Show { key } => {
            let key = trust::public_key(key)?;
            context.print(&KeyFacts::of(&key), messages::key_facts)?;
            Ok(0)
        }
    }
}

/// The secret keys that a set is signed with. Their passwords are asked for before anything is packed.
pub fn signers(files: &[PathBuf], password_file: Option<&Path>) -> Result<Vec<SecretKey>, Failure> {
    let key = |path: &PathBuf| {
        trust::secret_key(path, || match given_password(password_file)? {
            Some(password) => Ok(password),
            None => asked(&messages::ask_password_of(path)),
        })
    };
    files.iter().map(key).collect()
}

/// The password from the file that is named, else from the variable.
fn given_password(file: Option<&Path>) -> Result<Option<String>, Failure> {
    match file {
        Some(path) => Ok(Some(first_line(path)?)),
        None => Ok(std::env::var(PASSWORD).ok()),
    }
}

/// The first line of a file, which is a password.
pub fn first_line(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(PASSWORD_MAX).read_to_string(&mut text))
        .map_err(|source| {
            let path = path.to_owned();
            Failure::of(&Error::Io { path, source })
        })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Asks for a new password, twice.
fn new_password() -> Result<String, Failure> {
    asked_twice(&messages::ask_new_password())
}

/// Asks for something new, and then for the same again.
pub fn asked_twice(prompt: &str) -> Result<String, Failure> {
    let first = asked(prompt)?;
    if first.is_empty() {
        return Err(diagnostic!("key.empty_password").into());
    }
    if asked(&messages::ask_password_again())? != first {
        return Err(diagnostic!("key.passwords_differ").into());
    }
    Ok(first)
}

/// Asks on the terminal, without echo.
pub fn asked(prompt: &str) -> Result<String, Failure> {
    if !terminal::is_seen() && File::open("/dev/tty").is_err() {
        return Err(diagnostic!("key.no_terminal").into());
    }
    rpassword::prompt_password(prompt).map_err(|_| diagnostic!("key.no_terminal").into())
}
