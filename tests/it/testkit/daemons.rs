//! containerd and dockerd in folders of their own, with a socket of their own, and ended with the test.
//!
//! They need root and mounts, as everywhere. Where a machine has neither, the tests that want them say so and are skipped, but
//! not on CI: there a daemon that does not start fails the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::programs::{has, run, skip};

/// How long a daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether daemons can do their work here: they mount what they unpack into.
pub fn can_run(programs: &[&str]) -> bool {
    if !has(programs) || !has(&["unshare"]) {
        return false;
    }
    let mut probe = Command::new("unshare");
    let can_mount = probe
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(std::env::temp_dir())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success();
    if !can_mount {
        skip(&format!(
            "{programs:?} need root and mounts, which are not allowed here"
        ));
    }
    can_mount
}

/// A daemon and its folder.
struct Daemon {
    child: Child,
    folder: PathBuf,
}

impl Daemon {
    /// Starts a shell line that ends in `exec`, in a space of mounts of its own, and waits until `is_ready`. `None`, and said
    /// so, when the machine does not let it run.
    fn start(folder: &Path, line: &str, is_ready: impl Fn() -> bool) -> Option<Self> {
        let log = File::create(folder.join("log")).unwrap();
        let child = Command::new("unshare")
            .args(["--mount", "sh", "-c", line])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut daemon = Self {
            child,
            folder: folder.to_owned(),
        };
        let began = Instant::now();
        while !is_ready() {
            let is_over = daemon.child.try_wait().unwrap().is_some();
            if is_over || began.elapsed() > PATIENCE {
                skip(&format!("the daemon does not run here: {}", daemon.log()));
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(daemon)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let began = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if began.elapsed() > Duration::from_secs(20) {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A containerd, and `ctr` for it.
pub struct Containerd {
    _daemon: Daemon,
    socket: PathBuf,
}

impl Containerd {
    pub fn start(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let socket = folder.join("sock");
        let text = format!(
            "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{0}/sock\"\n\
             [plugins.\"io.containerd.metadata.v1.bolt\"]\ncontent_sharing_policy = \"isolated\"\n",
            folder.display()
        );
        // What one namespace has is not there for another, so that each pulls for itself.
        fs::write(folder.join("config.toml"), text).unwrap();
        let ready = || {
            let mut probe = Command::new("ctr");
            let probe = probe.arg("--address").arg(&socket).arg("version");
            probe.output().unwrap().status.success()
        };
        let line = "exec containerd --config config.toml";
        Some(Self {
            _daemon: Daemon::start(folder, line, ready)?,
            socket: socket.clone(),
        })
    }

    /// What makes `ctr`, whoever starts it, come here. It unpacks by copies, which any file system takes.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("CONTAINERD_ADDRESS", self.socket.display().to_string()),
            ("CONTAINERD_SNAPSHOTTER", "native".to_owned()),
        ]
    }

    pub fn ctr(&self, words: &[&str]) -> String {
        run(Command::new("ctr").envs(self.variables()).args(words))
    }

    /// Name and digest of every image of a namespace.
    pub fn images(&self, namespace: &str) -> Vec<(String, String)> {
        let listed = self.ctr(&["--namespace", namespace, "images", "ls"]);
        let row = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next()?.to_owned();
            Some((name, words.nth(1)?.to_owned()))
        };
        listed.lines().skip(1).filter_map(row).collect()
    }
}

/// A dockerd, and `docker` for it.
pub struct Dockerd {
    _daemon: Daemon,
    socket: String,
}

impl Dockerd {
    /// Starts it over a containerd that runs. What it writes to `/etc/docker` stays in its folder.
    pub fn start(folder: &Path, containerd: &Containerd) -> Option<Self> {
        fs::create_dir_all(folder.join("etc")).unwrap();
        let socket = format!("unix://{}/sock", folder.display());
        let line = format!(
            "mount --bind etc /etc/docker && exec dockerd --iptables=false --ip6tables=false --bridge=none \
             --storage-driver=vfs --data-root \"$PWD/data\" --exec-root \"$PWD/exec\" --pidfile \"$PWD/pid\" \
             --containerd {} --host {socket}",
            containerd.socket.display()
        );
        let ready = || {
            let mut probe = Command::new("docker");
            let probe = probe.env("DOCKER_HOST", &socket).arg("info");
            probe.output().unwrap().status.success()
        };
        Some(Self {
            _daemon: Daemon::start(folder, &line, ready)?,
            socket: socket.clone(),
        })
    }

    /// What makes `docker`, whoever starts it, come here.
    pub fn variables(&self) -> [(&'static str, String); 1] {
        [("DOCKER_HOST", self.socket.clone())]
    }

    pub fn docker(&self, words: &[&str]) -> String {
        run(Command::new("docker").envs(self.variables()).args(words))
    }

    /// `REPOSITORY:TAG DIGEST ID` of every image.
    pub fn images(&self) -> Vec<String> {
        let format = "{{.Repository}}:{{.Tag}} {{.Digest}} {{.ID}}";
        let words = ["image", "ls", "--digests", "--no-trunc", "--format", format];
        self.docker(&words).lines().map(str::to_owned).collect()
    }
}
