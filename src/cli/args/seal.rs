//! Arguments of what opens sealed sets.

use std::path::PathBuf;

use clap::Args;

/// What sealed sets are opened with.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Open sealed sets with the age identities in this file.
    #[arg(long, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// Open sealed sets with a passphrase, which is asked for.
    #[arg(long)]
    pub passphrase: bool,
    /// Open sealed sets with the passphrase in the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub passphrase_file: Option<PathBuf>,
}
