//! The command line as the parser knows it: commands, their arguments and options.
//!
//! What each does is in the module of the command. What people read about them is in the catalog of messages, and
//! [`help`](crate::cli::help) puts it on pages.

mod images;
mod pack;
mod report;
mod retry;
mod seal;
mod trust;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use carryall::bundle::receipt::site::SiteName;
use carryall::content::release::{ReleaseName, ReleaseNameError};
use carryall::files::privileges::Privileges;
use carryall::files::versions::Pattern;
use carryall::oci::image::Platform;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use self::images::{AsArg, ChoiceArgs, LoadArgs, LoaderArg, PushArgs, RegistryArgs, ServeArgs};
use self::pack::percent;
pub use self::pack::{CodecArg, EffortArg, PackArgs};
pub use self::report::ReportArgs;
use self::retry::retry_time;
pub use self::seal::OpenArgs;
pub use self::trust::{KeyCommand, TakenArgs, TrustCommand};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "carryall", version)]
pub struct Cli {
    /// The store.
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Reports as one JSON document on stdout, progress as JSON lines on stderr.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress bar.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show every finding and every line of long lists, not only the first ones.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Add to a log what is done.
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a release of files and folders, or extend it (creates the store when there is none).
    Add(AddArgs),
    /// List the releases in the store.
    List,
    /// Show what a release is made of.
    Show {
        /// The release.
        release: ReleaseName,
        #[command(flatten)]
        choice: ChoiceArgs,
        /// Verify the signatures of the images with the keys that are trusted for images.
        #[arg(long)]
        verify: bool,
    },
    /// Show how two releases differ, how much is new, and where most of it lies.
    Diff {
        /// The older release.
        from: ReleaseName,
        /// The newer release.
        to: ReleaseName,
    },
    /// Take a release out of the store; `prune` frees its space.
    Rm {
        /// The release.
        release: ReleaseName,
    },
    /// Copy releases into another store, only what it does not have.
    Copy(CopyArgs),
    /// Free the space of chunks that no release needs.
    Prune(PruneArgs),
    /// Mark a release as one that `prune --keep-last` leaves in the store.
    Keep {
        /// The release.
        release: ReleaseName,
        /// Take the mark away.
        #[arg(long)]
        no_longer: bool,
    },
    /// Lay releases out on a set of discs or disks.
    Pack(Box<PackArgs>),
    /// Show what volumes hold.
    Inspect {
        /// Media, images, folders or volume files.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        open: OpenArgs,
    },
    /// Check volumes: what is damaged or missing, and whether everything can be brought back.
    Verify {
        /// Media, images, folders or volume files.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Draw the damage, volume by volume, into an HTML page.
        #[arg(long, value_name = "FILE.html")]
        map: Option<PathBuf>,
        /// Only whether what is at hand is whole, whatever else the set has.
        #[arg(long)]
        at_hand: bool,
        /// For how long bad sectors are tried again.
        #[arg(long, value_name = "TIME", default_value = "5m", value_parser = retry_time)]
        retry_time: Duration,
        #[command(flatten)]
        report: ReportArgs,
    },
    /// Burn volumes disc by disc, and read every disc back.
    Burn(BurnArgs),
    /// Make a page with labels for sleeves and disc faces, to be printed.
    Labels(LabelsArgs),
    /// Rebuild damaged or lost volumes, byte for byte as they were written.
    Repair(RepairArgs),
    /// Take volumes into the store.
    Receive(ReceiveArgs),
    /// Receive disc after disc with one drive.
    Visit(VisitArgs),
    /// Say in tens of bytes what this store holds, so that the vendor sends only what it lacks.
    Receipt(ReceiptArgs),
    /// What is remembered of the sites that bundles were packed for.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Keys that sets are signed with.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Whose sets are taken.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Show the store, and what is still needed of volume sets that are being received.
    Status,
    /// Give up volume sets that are being received: what was read of them goes, releases stay.
    Forget(ForgetArgs),
    /// Give a release back as it was added, or its images as other programs load them, checked byte for byte.
    Checkout(CheckoutArgs),
    /// Give a release back beside older versions, and switch to it.
    Install(InstallArgs),
    /// Switch DIR/current back to the version that was in use before.
    Rollback {
        /// The folder that was named to `install`.
        dir: PathBuf,
    },
    /// Push the images of a release into a registry, with the digests that they came with.
    Push(PushArgs),
    /// Be a registry: images are pulled straight from the store, read-only, until Ctrl-C.
    Serve(ServeArgs),
    /// Hand the images of a release to docker, podman, nerdctl or containerd, through a pipe.
    Load(LoadArgs),
    /// List what came into the store and what went out.
    History(HistoryArgs),
    /// Check that everything in the store is whole.
    Check(CheckArgs),
    /// Look whether this machine has what is needed.
    Doctor,
    /// Print what a shell completes.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Write the manual pages.
    Man {
        /// Folder that gets them.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Walk the whole journey on something real, in a temporary folder.
    Demo {
        /// What to carry.
        path: Option<PathBuf>,
    },
}

/// Whether a word is the name of a command.
pub fn is_command(word: &str) -> bool {
    Cli::command().find_subcommand(word).is_some()
}

/// `site`.
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// List them: their last receipt, and what was packed for them last.
    List {
        /// Say what a delta of this release to each of them would weigh.
        #[arg(long, value_name = "RELEASE")]
        next: Vec<ReleaseName>,
    },
    /// Forget one.
    Forget {
        /// The site's name.
        name: SiteName,
    },
}

/// `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only lines about this release, or about all versions of this name.
    pub release: Option<String>,
    /// Write the lines to a table for a spreadsheet.
    #[arg(long, value_name = "FILE.csv")]
    pub csv: Option<PathBuf>,
}

/// Releases that are believed to be together at one receiver.
#[derive(Debug, Clone)]
pub struct Together(pub Vec<ReleaseName>);

impl FromStr for Together {
    type Err = ReleaseNameError;

    fn from_str(text: &str) -> Result<Self, ReleaseNameError> {
        let names = text.split([',', '，', '、']).map(str::parse);
        Ok(Self(names.collect::<Result<_, _>>()?))
    }
}

/// `add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The release.
    pub release: ReleaseName,
    /// Paths, images in registries, and standard input, each with or without a name before it.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// What the only item is called, or the one from docker://REF or -.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Pull images for this platform alone, such as linux/arm64.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Vec<Platform>,
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// Whether compressed streams and archives are opened, so that what is in them is known when it comes again.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = OpeningArg::Auto)]
    pub open: OpeningArg,
    /// A stream whose recipe would be more than this part of it is kept as it came.
    #[arg(long, value_name = "PERCENT", default_value_t = 12.5, value_parser = percent)]
    pub open_recipe: f64,
    /// After 10 s of processor time, a stream is kept as it came when opening it takes more for each GB of plain bytes.
    #[arg(long, value_name = "SECONDS", default_value_t = 1000)]
    pub open_seconds_per_gb: u64,
    /// Keep compressed layers ready besides, as `receive` does.
    #[arg(long)]
    pub ready: bool,
}

/// `receive`.
#[derive(Debug, Args)]
pub struct ReceiveArgs {
    /// Media, images, folders or volume files.
    #[arg(required_unless_present_any = ["identity", "passphrase", "passphrase_file"])]
    pub paths: Vec<PathBuf>,
    /// Only releases for these platforms, and those that say no architecture.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Vec<Platform>,
    /// For how long bad sectors are tried again.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = retry_time)]
    pub retry_time: Duration,
    #[command(flatten)]
    pub taken: TakenArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    #[command(flatten)]
    pub open: OpenArgs,
}

/// `visit`.
#[derive(Debug, Args)]
pub struct VisitArgs {
    /// The drive, or a path at which media appear.
    #[arg(long, value_name = "PATH")]
    pub drive: Option<PathBuf>,
    /// Only releases for these platforms, and those that say no architecture.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Vec<Platform>,
    /// For how long bad sectors are tried again.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = retry_time)]
    pub retry_time: Duration,
    #[command(flatten)]
    pub taken: TakenArgs,
    #[command(flatten)]
    pub report: ReportArgs,
    #[command(flatten)]
    pub open: OpenArgs,
    /// Folder that gets the receipt for a top-up.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Show the log of visits.
    #[arg(long)]
    pub history: bool,
}

/// `receipt`.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    /// Write it to a file.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write its QR code to a picture, or several codes to numbered ones.
    #[arg(long, value_name = "FILE.png")]
    pub png: Option<PathBuf>,
    /// Show its QR code on the terminal.
    #[arg(long)]
    pub qr: bool,
}

/// `forget`.
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Sets, by the beginning of their ids or by their numbers as `status` lists them.
    #[arg(value_name = "SET", required_unless_present = "all_incomplete")]
    pub sets: Vec<String>,
    /// All sets that wait for volumes or for a release that they depend on.
    #[arg(long, conflicts_with = "sets")]
    pub all_incomplete: bool,
}

/// `burn`.
#[derive(Debug, Args)]
pub struct BurnArgs {
    /// Volumes, or folders of volumes.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The drive.
    #[arg(long, value_name = "DEVICE", default_value = "/dev/sr0")]
    pub device: PathBuf,
    /// The speed, as the drive counts it.
    #[arg(long, value_name = "N")]
    pub speed: Option<u32>,
    /// Erase rewritable discs that hold something, without asking.
    #[arg(long)]
    pub erase: bool,
    /// Burn also what was burned and found good before.
    #[arg(long)]
    pub again: bool,
}

/// `labels`.
#[derive(Debug, Args)]
pub struct LabelsArgs {
    /// Volumes, or folders of volumes.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The page.
    #[arg(long, value_name = "FILE.html")]
    pub to: Option<PathBuf>,
    /// How the number of each medium begins; the volume's number follows.
    #[arg(long, value_name = "TEXT")]
    pub number: Option<String>,
}

/// `repair`.
#[derive(Debug, Args)]
pub struct RepairArgs {
    /// All that is left of the set: media, images, folders or volume files.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Folder that gets the rebuilt volumes.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Rebuild this volume even when it is whole.
    #[arg(long, value_name = "NUMBER")]
    pub volume: Vec<u16>,
    /// Write .iso images instead of folders.
    #[arg(long)]
    pub iso: bool,
    /// For how long bad sectors are tried again.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = retry_time)]
    pub retry_time: Duration,
}

/// `checkout`.
#[derive(Debug, Args)]
pub struct CheckoutArgs {
    /// The release.
    pub release: ReleaseName,
    /// Folder that gets the items; absent or empty.
    pub dest: PathBuf,
    /// Only this item.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["image", "platform"])]
    pub item: Vec<String>,
    /// What is given back.
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = AsArg::Original)]
    pub form: AsArg,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    #[command(flatten)]
    pub privileges: PrivilegesArgs,
}

/// Whether metadata that gives power is restored.
#[derive(Debug, Args)]
pub struct PrivilegesArgs {
    /// Also give out owners, setuid and setgid bits, capabilities and devices; needs root.
    #[arg(long)]
    pub privileged: bool,
}

impl PrivilegesArgs {
    /// Returns the option of the library.
    pub fn to_privileges(&self) -> Privileges {
        if self.privileged {
            Privileges::Restored
        } else {
            Privileges::Withheld
        }
    }
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Read and check every chunk, not only the structure.
    #[arg(long)]
    pub data: bool,
    /// Volumes that may hold good copies of damaged chunks.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub heal_from: Vec<PathBuf>,
    /// First write the store's carryall.toml anew if it is damaged or lost.
    #[arg(long)]
    pub renew_settings: bool,
}

/// `copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The releases.
    #[arg(required = true, value_name = "RELEASE")]
    pub releases: Vec<ReleaseName>,
    /// The other store.
    #[arg(long, value_name = "STORE")]
    pub to: PathBuf,
}

/// `prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// First take out all but the N newest versions of each name and architecture, and those that `keep` marked.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_last: Option<u32>,
    /// Drop also the compressed layers and files that are kept ready.
    #[arg(long)]
    pub ready: bool,
    /// In a bucket: how long a pack stays after it was marked.
    #[arg(long, value_name = "TIME", value_parser = retry::grace_time)]
    pub grace: Option<Duration>,
}

/// `install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The release.
    pub release: ReleaseName,
    /// Folder of the versions; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// Files that the site edits, taken over from the version in use.
    #[arg(long, value_name = "GLOB", default_value = "*.env")]
    pub keep: Vec<Pattern>,
    /// Files that did not change take room of their own, and are not shared with the version before.
    #[arg(long)]
    pub copy: bool,
    #[command(flatten)]
    pub privileges: PrivilegesArgs,
}

/// Which compressed streams and archives are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OpeningArg {
    /// Open what pays.
    Auto,
    /// Keep all as they came.
    None,
}
