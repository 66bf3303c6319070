//! Credentials come from where docker keeps them: helpers and the config file, for what is pulled and what is pushed.

use crate::testkit::{made, programs, registry_parts, shown, stage};

use std::fs;
use std::path::PathBuf;

use made::files_tar;
use programs::{has, put_program};
use registry_parts::{RealRegistry, passwords};
use serde_json::{Value, json};
use shown::{api, web};
use stage::{Run, Stage};

const SECRET: &str = "s3cret-of-the-site";

/// A registry that asks for a password, a release to push into it, and docker's folders.
struct Login {
    stage: Stage,
    registry: RealRegistry,
}

impl Login {
    fn new() -> Self {
        let stage = Stage::new();
        stage.give("images.tar", &files_tar(&made::oci(&[web(), api()])));
        stage.add("shop:1.0");
        fs::create_dir(stage.path("docker")).unwrap();
        fs::create_dir(stage.path("bin")).unwrap();
        let passwords = passwords(&stage.path(""), "site", SECRET);
        Self {
            registry: RealRegistry::start_with_passwords(&passwords),
            stage,
        }
    }

    /// Puts a helper where programs are found. It notes what it is asked.
    fn helper(&self, name: &str, answer: &str) {
        let path = self.stage.path(&format!("bin/docker-credential-{name}"));
        let asked = self.asked_path(name);
        let script = format!(
            "printf '%s ' \"$1\" >> {0}\ncat >> {0}\necho >> {0}\n{answer}",
            asked.display()
        );
        put_program(&path, &script);
    }

    fn asked_path(&self, name: &str) -> PathBuf {
        self.stage.path(&format!("asked-{name}"))
    }

    /// What a helper was asked, once a line.
    fn asked(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.asked_path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Runs the command with this config file; the secret shows nowhere.
    #[track_caller]
    fn run(&self, config: &Value, words: &[&str]) -> Run {
        let docker = self.stage.path("docker");
        fs::write(docker.join("config.json"), config.to_string()).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.stage.path("bin").display());
        let mut command = self.stage.command(words);
        command.env("DOCKER_CONFIG", docker).env("PATH", path);
        let run = Run::from(command.output().unwrap());
        assert!(
            !run.stdout.contains(SECRET) && !run.stderr.contains(SECRET),
            "{run:#?}"
        );
        run
    }
}

fn tells(user: &str, secret: &str) -> String {
    let answer = json!({"ServerURL": "x", "Username": user, "Secret": secret});
    format!("echo '{answer}'")
}

const NOT_FOUND: &str = "echo credentials not found in native keychain; exit 1";

#[test]
fn helpers_are_asked_as_docker_asks_them() {
    if !has(&["docker-registry", "htpasswd"]) {
        return;
    }
    let login = Login::new();
    let host = &login.registry.host;
    login.helper("test", &tells("site", SECRET));
    login.helper("empty", NOT_FOUND);
    let push = ["push", "shop:1.0", host];
    login
        .run(&json!({}), &push)
        .fails_with(1, &["refuses access", "docker login"]);

    // The helper of this host; the one for all others is not asked.
    let own = json!({"credHelpers": {host: "test"}, "credsStore": "empty"});
    login.run(&own, &push).ends_with(0);
    let asked = login.asked("test");
    assert!(
        !asked.is_empty() && asked.iter().all(|line| *line == format!("get {host}")),
        "{asked:?}"
    );
    assert_eq!(login.asked("empty"), Vec::<String>::new());
    let image = format!("docker://{host}/shop/web:1.0");
    login.run(&own, &["add", "web:1.0", &image]).ends_with(0);
    let digest = made::digest(&web().packed("oci").0);
    assert_eq!(login.stage.show("web:1.0")["images"][0]["digest"], digest);

    // The one for all hosts.
    let all = json!({"credHelpers": {"other.example": "none"}, "credsStore": "test"});
    login.run(&all, &["add", "web:2.0", &image]).ends_with(0);
    // It knows nothing: what stands in the file is taken.
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("site:{SECRET}"));
    let both = json!({"credsStore": "empty", "auths": {host: {"auth": pair}}});
    login.run(&both, &["add", "web:3.0", &image]).ends_with(0);
    assert!(!login.asked("empty").is_empty());
    let neither = json!({"credsStore": "empty", "auths": {host: {}}});
    login
        .run(&neither, &["add", "web:4.0", &image])
        .fails_with(1, &["refuses access", "docker login"]);
}

#[test]
fn a_helper_that_is_of_no_use_is_named() {
    if !has(&["docker-registry", "htpasswd"]) {
        return;
    }
    let login = Login::new();
    let host = &login.registry.host;
    login.helper("wrong", &tells("site", "another"));
    login.helper("mad", &format!("echo 'site {SECRET}'"));
    login.helper(
        "locked",
        &format!("echo 'the keychain of {SECRET} is locked'; exit 3"),
    );
    // It does not read, and says more than anyone wants to hear.
    login.helper("deaf", "exec 0<&-; exec head -c 9000000 /dev/zero");
    for (helper, words) in [
        ("wrong", &["refuses access", "docker login"][..]),
        ("mad", &["docker-credential-mad", "not understood"]),
        ("deaf", &["docker-credential-deaf", "failed (signal: 13"]),
        (
            "locked",
            &["docker-credential-locked", "failed (exit status: 3)"],
        ),
        ("absent", &["docker-credential-absent"]),
        ("../mad", &["the helper's name"]),
    ] {
        let config = json!({"credHelpers": {host: helper}});
        login
            .run(&config, &["push", "shop:1.0", host])
            .fails_with(1, words);
    }
}
