//! Arguments of `pack`.

use std::path::PathBuf;

use carryall::bundle::receipt::site::SiteName;
use carryall::content::release::ReleaseName;
use carryall::oci::image::Platform;
use clap::{Args, ValueEnum};

use crate::cli::args::Together;
use crate::cli::usage::BadValue;

/// `pack`.
#[derive(Debug, Args)]
pub struct PackArgs {
    /// The release.
    #[arg(required = true)]
    pub releases: Vec<ReleaseName>,
    /// Where a release is named without architecture, the one for this platform is meant.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<Platform>,
    /// Folder that gets one folder or .iso a volume.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["estimate", "plan", "bare"])]
    pub to: Option<PathBuf>,
    /// Write one verified file without volumes and parity, for a channel that is narrow and reliable.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "to", "media", "sectors", "media_at", "spare", "many_spares", "local", "iso", "with_program", "without_program",
        "program", "read_back", "codec", "estimate",
    ])]
    pub bare: Option<PathBuf>,
    /// Only print the plan.
    #[arg(long, conflicts_with = "estimate")]
    pub plan: bool,
    /// Only say about what the bundle will weigh, by item, image and kind of content.
    #[arg(long)]
    pub estimate: bool,
    /// cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb (one disk, as large as needed) or an exact size such as 8GB.
    #[arg(long, value_name = "KIND", required_unless_present_any = ["sectors", "media_at", "estimate", "bare"])]
    pub media: Option<String>,
    /// Exact size of the medium in sectors of 2048 bytes.
    #[arg(long, value_name = "N", conflicts_with = "media")]
    pub sectors: Option<u64>,
    /// The medium is what is mounted here: its file system is asked what is free, whichever it is.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["media", "sectors"])]
    pub media_at: Option<PathBuf>,
    /// Leave out what a receiver of this release has; given several times, what all such receivers have. `A,B`.
    #[arg(long, value_name = "RELEASE")]
    pub since: Vec<Together>,
    /// Leave out what a site with this receipt has: a file, or the text itself.
    #[arg(long = "for", value_name = "RECEIPT")]
    pub receipts: Vec<String>,
    /// Pack for all remembered sites: one bundle for all of them or one for each, whichever is less to carry.
    #[arg(long, conflicts_with_all = ["since", "receipts", "site", "bare", "plan"])]
    pub for_all: bool,
    /// Remember the receipt and what was packed under this name.
    #[arg(long, value_name = "NAME")]
    pub site: Option<SiteName>,
    /// Spare volumes: any so many may be lost.
    #[arg(long, value_name = "N")]
    pub spare: Option<u16>,
    /// As many spares as --spare says, however few volumes have data.
    #[arg(long)]
    pub many_spares: bool,
    /// Whom the site may ask, on the page of each volume: one line of 200 characters at most.
    #[arg(long, value_name = "TEXT")]
    pub contact: Option<String>,
    /// The day on the page of each volume.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<String>,
    /// Local parity in percent: damage that one volume heals alone.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub local: Option<f64>,
    /// How hard to compress.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = EffortArg::Default)]
    pub effort: EffortArg,
    /// Write .iso images, ready to burn, instead of folders.
    #[arg(long)]
    pub iso: bool,
    /// Put this program on every volume, even when it takes room.
    #[arg(long, conflicts_with = "without_program")]
    pub with_program: bool,
    /// Put no program on the volumes.
    #[arg(long, visible_alias = "no-program")]
    pub without_program: bool,
    /// Put another program on every volume too, such as the one for arm64.
    #[arg(long, value_name = "FILE", conflicts_with = "without_program")]
    pub program: Vec<PathBuf>,
    /// Sign the set with this secret key.
    #[arg(long, value_name = "KEY")]
    pub sign: Vec<PathBuf>,
    /// Read the password of the keys from the first line of a file.
    #[arg(long, value_name = "FILE", requires = "sign")]
    pub password_file: Option<PathBuf>,
    /// Seal the set, so that only the holder of this age recipient's identity can open it.
    #[arg(long, value_name = "RECIPIENT")]
    pub seal_to: Vec<String>,
    /// Seal it for the recipients in a file too, one on each line.
    #[arg(long, value_name = "FILE")]
    pub recipients_file: Vec<PathBuf>,
    /// Seal it with a passphrase, which is asked for.
    #[arg(long, conflicts_with_all = ["seal_to", "recipients_file"])]
    pub passphrase: bool,
    /// Seal it with the passphrase in the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seal_to", "recipients_file", "passphrase"])]
    pub passphrase_file: Option<PathBuf>,
    /// Read the volumes back from the disk, which is done anyway on disks that can be taken out.
    #[arg(long)]
    pub read_back: bool,
    /// The parity code.
    #[arg(long, value_name = "CODE", value_enum, default_value_t = CodecArg::Gf16)]
    pub codec: CodecArg,
}

pub(super) fn percent(text: &str) -> Result<f64, BadValue> {
    let value: f64 = text.parse().map_err(|_| BadValue::NotANumber)?;
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err(BadValue::NotAPercent)
    }
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EffortArg {
    /// As fast as disks.
    Fast,
    /// Small in reasonable time.
    Default,
    /// As small as possible; several times slower.
    Max,
}

/// The parity code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CodecArg {
    /// Reed-Solomon over GF(2^16), fast.
    Gf16,
    /// Reed-Solomon over GF(2^8), classical.
    Gf8,
}
