//! Arguments of `key` and `trust`.

use std::path::PathBuf;

use carryall::base::signing::SignatureAlgorithm;
use carryall::ops::receive::ReceiveOptions;
use clap::{Args, Subcommand, ValueEnum};

/// `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a pair of keys.
    New {
        /// File of the secret key.
        file: PathBuf,
        /// How it signs.
        #[arg(long, value_name = "NAME", value_enum, default_value_t = AlgorithmArg::Minisign)]
        algorithm: AlgorithmArg,
        /// Do not encrypt the secret key.
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
        /// Read the password from the first line of a file.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Show what tells a public key from others.
    Show {
        /// The key.
        key: String,
    },
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AlgorithmArg {
    /// Ed25519, in the form of minisign.
    Minisign,
    /// SM2 with SM3.
    Sm2,
}

impl From<AlgorithmArg> for SignatureAlgorithm {
    fn from(arg: AlgorithmArg) -> Self {
        match arg {
            AlgorithmArg::Minisign => Self::Minisign,
            AlgorithmArg::Sm2 => Self::Sm2,
        }
    }
}

/// What is taken of what comes.
#[derive(Debug, Args)]
pub struct TakenArgs {
    /// Take sets too that nobody signed whom this site trusts.
    #[arg(long)]
    pub unsigned: bool,
    /// Take sets too that replace a release, are older than what came before, or were made for another site.
    #[arg(long)]
    pub replace: bool,
}

impl TakenArgs {
    /// Says so to an operation.
    pub fn apply(&self, options: &mut ReceiveOptions) {
        options.unsigned = self.unsigned;
        options.replace = self.replace;
    }
}

/// `trust`.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust a key from now on.
    Add {
        /// The key.
        key: String,
        /// What it is called here.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// It is a key that images are signed with.
        #[arg(long)]
        images: bool,
        /// Trust it for these images alone.
        #[arg(long = "for", value_name = "PATTERN", requires = "images")]
        patterns: Vec<String>,
    },
    /// List the keys that are trusted.
    List,
    /// Trust a key no longer.
    Rm {
        /// Its name, its id or the key itself.
        key: String,
    },
    /// Take nothing else, even when asked to.
    Require {
        /// Take that back.
        #[arg(long)]
        no_longer: bool,
    },
}
