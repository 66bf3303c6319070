//! Arguments of the commands that move images: registries, platforms, loaders.

use std::path::PathBuf;

use carryall::content::release::ReleaseName;
use carryall::oci::image::{Choice, Platform};
use carryall::oci::registry::client::ClientOptions;
use clap::{Args, ValueEnum};

use crate::cli::hosts::{HostMap, NewName};

/// How registries are spoken to.
#[derive(Debug, Args)]
pub struct RegistryArgs {
    /// Speak plain HTTP to the registry; to this machine it is so by itself.
    #[arg(long)]
    pub plain_http: bool,
    /// Root certificates of the registry besides this machine's own.
    #[arg(long, value_name = "FILE.pem")]
    pub ca: Option<PathBuf>,
}

impl RegistryArgs {
    /// As the library takes it.
    pub fn options(&self) -> ClientOptions {
        let mut options = ClientOptions::default();
        options.plain_http = self.plain_http;
        options.ca.clone_from(&self.ca);
        options
    }
}

/// Form of what is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AsArg {
    /// Every item, byte for byte.
    Original,
    /// A file that docker, podman, nerdctl and skopeo load.
    DockerArchive,
    /// A folder that skopeo, podman, buildah and containerd read, with the digests that came in.
    Oci,
    /// A folder with what is attached to the images: signatures, SBOMs, provenance.
    Attachments,
}

/// Which images.
#[derive(Debug, Args)]
pub struct ChoiceArgs {
    /// Only this image.
    #[arg(long, value_name = "REF")]
    pub image: Vec<String>,
    /// Only images for these platforms. A single one also says which release is meant.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Vec<Platform>,
}

impl ChoiceArgs {
    /// What the library is asked for.
    pub fn to_choice(&self) -> Choice {
        let mut choice = Choice::default();
        choice.images.clone_from(&self.image);
        choice.platforms.clone_from(&self.platform);
        choice
    }

    /// The platform whose release is meant: several are those of the images in one release.
    pub fn one_platform(&self) -> Option<&Platform> {
        self.platform.first().filter(|_| self.platform.len() == 1)
    }
}

/// `load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The release.
    pub release: ReleaseName,
    /// The program that takes the images.
    #[arg(long, value_name = "PROGRAM", value_enum)]
    pub with: Option<LoaderArg>,
    /// Namespace of containerd, for nerdctl and ctr: Kubernetes looks in k8s.io.
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Only when a key that is trusted for images signed every one.
    #[arg(long)]
    pub require_signed: bool,
    #[command(flatten)]
    pub choice: ChoiceArgs,
}

/// A program that takes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LoaderArg {
    /// docker load.
    Docker,
    /// podman load.
    Podman,
    /// nerdctl load.
    Nerdctl,
    /// ctr images import.
    Ctr,
}

/// `push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The release.
    pub release: ReleaseName,
    /// Host, port and prefix.
    #[arg(value_name = "REGISTRY")]
    pub to: String,
    /// Images from a host go below a prefix of their own.
    #[arg(long, value_name = "HOST=PREFIX")]
    pub map: Vec<HostMap>,
    /// The host that an image came from becomes the first part of its repository.
    #[arg(long)]
    pub keep_host: bool,
    /// What the one image that --image names is called there, instead of its own name.
    #[arg(long = "as", value_name = "NAME", requires = "image", conflicts_with_all = ["map", "keep_host"])]
    pub new_name: Option<NewName>,
    /// Only when a key that is trusted for images signed every one.
    #[arg(long)]
    pub require_signed: bool,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

/// `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The release.
    pub releases: Vec<ReleaseName>,
    #[command(flatten)]
    pub choice: ChoiceArgs,
    /// Address and port to listen at; 0.0.0.0:5000 is for the whole network.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    pub listen: String,
    /// Certificate and those above it, for TLS.
    #[arg(long, value_name = "FILE.pem", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Key of the certificate.
    #[arg(long, value_name = "FILE.pem", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Names and passwords of those who may pull, as `htpasswd -B` writes them.
    #[arg(long, value_name = "FILE")]
    pub htpasswd: Option<PathBuf>,
    /// Put layers together before anyone asks for them, so that the first pull is as fast as the second.
    #[arg(long)]
    pub ahead: bool,
}
