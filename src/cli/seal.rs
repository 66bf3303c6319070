//! Whom sets are sealed for, and what they are opened with. Passphrases are asked for here.

use carryall::base::diagnostic::diagnostic;
use carryall::base::sealing::{Identities, SealTo};
use carryall::ops::Error;

use crate::cli::args::{OpenArgs, PackArgs};
use crate::cli::exit::Failure;
use crate::cli::{key, messages};

/// Whom a set is sealed for, if for anybody.
pub fn seal_to(args: &PackArgs) -> Result<Option<SealTo>, Failure> {
    if args.passphrase || args.passphrase_file.is_some() {
        let passphrase = match &args.passphrase_file {
            Some(path) => key::first_line(path)?,
            None => key::asked_twice(&messages::ask_new_passphrase())?,
        };
        if passphrase.is_empty() {
            return Err(diagnostic!("key.empty_password").into());
        }
        return Ok(Some(SealTo::passphrase(&passphrase)));
    }
    if args.seal_to.is_empty() && args.recipients_file.is_empty() {
        return Ok(None);
    }
    let to = SealTo::recipients(&args.seal_to, &args.recipients_file);
    Ok(Some(to.map_err(Error::from)?))
}

/// What sealed sets are opened with.
pub fn identities(args: &OpenArgs) -> Result<Identities, Failure> {
    let passphrase = match &args.passphrase_file {
        Some(path) => Some(key::first_line(path)?),
        None if args.passphrase => Some(key::asked(&messages::ask_passphrase())?),
        None => None,
    };
    let found = Identities::read(&args.identity, passphrase.as_deref());
    Ok(found.map_err(Error::from)?)
}
