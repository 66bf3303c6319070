//! Arguments of `--report`.

use std::path::PathBuf;

use clap::Args;

/// Evidence that is kept.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write what was read and found to a page or a JSON document.
    #[arg(long, value_name = "FILE.html|FILE.json")]
    pub report: Option<PathBuf>,
    /// Sign it with this secret key.
    #[arg(long, value_name = "KEY", requires = "report")]
    pub report_key: Option<PathBuf>,
    /// Read the password of the key from the first line of a file.
    #[arg(long, value_name = "FILE", requires = "report")]
    pub password_file: Option<PathBuf>,
}
