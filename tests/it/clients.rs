//! Programs that run images take them from `load` and from `serve`, with the digests that they had.

use crate::testkit::{daemons, made, programs, registry_parts, shown, stage};

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use daemons::{Containerd, Dockerd};
use made::{Made, blob_path, digest, files_tar};
use programs::{has, put_program, run, skip};
use registry_parts::Serving;
use shown::{api, expected, findings, images as images_of, web};
use stage::{Run, Stage};

/// Puts a program into a folder of the stage.
fn program(stage: &Stage, name: &str, script: &str) {
    let path = stage.path("bin").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    put_program(&path, script);
}

fn load(stage: &Stage, words: &[&str]) -> Run {
    let mut command = stage.command(&[&["load", "shop:1.0"], words].concat());
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", stage.path("bin").display()),
    );
    command.output().unwrap().into()
}

#[test]
fn load_hands_an_archive_to_the_program_and_its_words_to_the_person() {
    let stage = Stage::new();
    stage.give("images.tar", &files_tar(&made::containerd(&[web(), api()])));
    stage.add("shop:1.0");
    program(
        &stage,
        "docker",
        "echo \"$@\" > args; cat > taken.tar; echo Loaded image: x; echo noise >&2",
    );
    let run = load(&stage, &["--with", "docker"]).ends_with(0);
    assert!(
        run.stdout.contains("docker: Loaded image: x") && run.stdout.contains("2 images"),
        "{run:#?}"
    );
    assert_eq!(fs::read_to_string(stage.path("args")).unwrap(), "load\n");
    stage
        .run(&["checkout", "shop:1.0", "same.tar", "--as", "docker-archive"])
        .ends_with(0);
    assert!(
        fs::read(stage.path("taken.tar")).unwrap() == fs::read(stage.path("same.tar")).unwrap()
    );

    // containerd gets the digests that came in.
    program(&stage, "ctr", "echo \"$@\" > args; cat > taken.tar");
    load(
        &stage,
        &[
            "--with",
            "ctr",
            "--namespace",
            "k8s.io",
            "--image",
            "shop/web:1.0",
        ],
    )
    .ends_with(0);
    assert_eq!(
        fs::read_to_string(stage.path("args")).unwrap(),
        "--namespace k8s.io images import -\n"
    );
    let mut taken = tar::Archive::new(fs::File::open(stage.path("taken.tar")).unwrap());
    let names: BTreeSet<String> = taken
        .entries()
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let (manifest, blobs) = web().packed("docker");
    assert!(
        names.contains(&blob_path(&manifest)) && blobs.keys().all(|path| names.contains(path)),
        "{names:?}"
    );

    program(
        &stage,
        "docker",
        "head -c 2000 > /dev/null; echo no room left on the planet >&2; exit 5",
    );
    load(&stage, &["--with", "docker"]).fails_with(
        1,
        &[
            "docker failed (exit status: 5)",
            "no room left on the planet",
        ],
    );
    // One that says it is well though it did not take all is not believed.
    program(&stage, "docker", "exit 0");
    load(&stage, &["--with", "docker"]).fails_with(1, &["cannot write"]);
    load(&stage, &["--with", "nerdctl"]).fails_with(1, &["cannot run nerdctl"]);
    load(&stage, &["--image", "other"]).fails_with(1, &["no image other"]);
}

#[test]
fn load_ends_the_program_when_a_layer_lies() {
    let own = made::gzip(&web().layers[1]);
    let mut other = own.clone();
    let at = other.len() / 2;
    other[at] ^= 0x55;
    let mut files = made::oci(&[web()]);
    files.insert(blob_path(&own), other);
    let archive = files_tar(&files);
    let stage = Stage::new();
    stage.give("item.tar", &archive);
    stage.add("shop:1.0");
    program(&stage, "docker", "cat > /dev/null && touch believed");
    load(&stage, &["--with", "docker"])
        .fails_with(1, &[&digest(&web().layers[1]), "does not match its digest"]);
    assert!(!stage.path("believed").exists());
}

/// Gives and adds a release of two images, as a layout that has their manifests.
fn shop(stage: &Stage) {
    stage.give("images.tar", &files_tar(&made::oci(&[web(), api()])));
    stage.add("shop:1.0");
}

fn manifest_digest(image: &Made) -> String {
    digest(&image.packed("oci").0)
}

fn serve(stage: &Stage, words: &[&str]) -> Serving {
    Serving::start(&mut stage.command(&[&["serve", "--listen", "127.0.0.1:0"], words].concat()))
}

/// Writes the lines for containerd where `serve` says that they belong, below a folder of the stage.
fn write_hosts(stage: &Stage, folder: &str, said: &str, certificate: &Path) {
    const ETC: &str = "/etc/containerd/certs.d/";
    for part in said.split("\n\n").map(str::trim_start) {
        let Some(part) = part.strip_prefix("containerd: ") else {
            continue;
        };
        let (path, lines) = part.split_once('\n').unwrap();
        let path = stage.path(folder).join(path.strip_prefix(ETC).unwrap());
        let own = certificate.display().to_string();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, lines.replace(&format!("{ETC}ca.pem"), &own)).unwrap();
    }
}

#[test]
fn containerd_pulls_by_the_lines_that_serve_prints_and_imports_what_load_gives_it() {
    if !daemons::can_run(&["containerd", "ctr"]) || !has(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    shop(&stage);
    let Some(containerd) = Containerd::start(&stage.path("containerd")) else {
        return;
    };
    let (certificate, key) = registry_parts::certificate(&stage.path(""), "site");
    let (cert_path, key_path) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let tls = ["--tls-cert", cert_path, "--tls-key", key_path];
    let both = [web(), api()];
    let expected: Vec<(String, String)> = [api(), web()]
        .iter()
        .map(|image| (image.reference.clone(), manifest_digest(image)))
        .collect();
    for (namespace, words) in [("plain", &[][..]), ("tls", &tls[..])] {
        let mut serving = serve(&stage, words);
        write_hosts(&stage, namespace, &serving.says("docker: "), &certificate);
        let hosts = stage.path(namespace);
        for image in &both {
            let hosts = hosts.to_str().unwrap();
            let pull = ["images", "pull", "--hosts-dir", hosts, &image.reference];
            containerd.ctr(&[&["--namespace", namespace], &pull[..]].concat());
        }
        assert_eq!(containerd.images(namespace), expected);
        let log = serving.end();
        assert!(log.contains("GET /v2/shop/web/blobs/sha256:"), "{log}");
    }

    // What it exports is known for what it is.
    let archive = stage.path("exported.tar");
    let export = ["--namespace", "plain", "images", "export"];
    let names = both.each_ref().map(|image| &image.reference[..]);
    containerd.ctr(&[&export[..], &[archive.to_str().unwrap()], &names].concat());
    stage
        .run(&["add", "exported:1.0", "exported.tar"])
        .ends_with(0);
    let report = stage.show("exported:1.0");
    let mut found: Vec<(&str, &str)> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| {
            let name = image["references"][0].as_str().unwrap();
            (name, image["digest"].as_str().unwrap())
        })
        .collect();
    found.sort_unstable();
    let same: Vec<(&str, &str)> = expected.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    assert_eq!(found, same);
    assert_eq!(findings(&report), Vec::<String>::new());

    // And goes back in, through `ctr`, as Kubernetes sees it.
    let load = [
        "load",
        "exported:1.0",
        "--with",
        "ctr",
        "--namespace",
        "k8s.io",
    ];
    let mut command = stage.command(&load);
    Run::from(command.envs(containerd.variables()).output().unwrap()).ends_with(0);
    assert_eq!(containerd.images("k8s.io"), expected);
}

#[test]
fn docker_pulls_loads_and_saves() {
    if !daemons::can_run(&["containerd", "ctr", "dockerd", "docker"]) {
        return;
    }
    let stage = Stage::new();
    shop(&stage);
    let Some(containerd) = Containerd::start(&stage.path("containerd")) else {
        return;
    };
    let Some(docker) = Dockerd::start(&stage.path("docker"), &containerd) else {
        return;
    };
    let serving = serve(&stage, &[]);
    let pulled = format!("{}/shop/web:1.0", serving.host);
    docker.docker(&["pull", "--quiet", &pulled]);
    let row = |name: &str, digest: &str, image: &Made| {
        format!("{name} {digest} {}", made::digest(&image.config()))
    };
    assert_eq!(
        docker.images(),
        [row(&pulled, &manifest_digest(&web()), &web())]
    );
    serving.end();

    let mut command = stage.command(&["load", "shop:1.0", "--with", "docker"]);
    let run = Run::from(command.envs(docker.variables()).output().unwrap()).ends_with(0);
    assert!(
        run.stdout
            .contains("docker: Loaded image: registry.example/shop/"),
        "{run:#?}"
    );
    let images = docker.images();
    for image in [web(), api()] {
        let row = row(&image.reference, "<none>", &image);
        assert!(images.contains(&row), "{row}: {images:#?}");
    }

    // What it saves is known, and comes back as the very same stream.
    let saved = stage.path("given/stdin.tar");
    stage.remove("given");
    fs::create_dir(stage.path("given")).unwrap();
    let (web_name, api_name) = (web().reference, api().reference);
    let path = saved.to_str().unwrap();
    docker.docker(&["save", "--output", path, &web_name, &api_name]);
    let mut command = stage.command(&["add", "saved:1.0", "-"]);
    command.stdin(fs::File::open(&saved).unwrap());
    Run::from(command.output().unwrap()).ends_with(0);
    let report = stage.show("saved:1.0");
    assert_eq!(images_of(&report), expected(&[web(), api()]));
    assert_eq!(findings(&report), Vec::<String>::new());
    stage.run(&["checkout", "saved:1.0", "back"]).ends_with(0);
    assert!(fs::read(stage.path("back/stdin.tar")).unwrap() == fs::read(saved).unwrap());
}

#[test]
fn podman_pulls_from_serve_and_loads_what_load_gives_it() {
    if !has(&["podman"]) {
        return;
    }
    let stage = Stage::new();
    shop(&stage);
    let root = stage.path("podman");
    let conf = stage.path("storage.conf");
    let text = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/root\"\nrunroot = \"{0}/run\"\n",
        root.display()
    );
    fs::write(&conf, text).unwrap();
    let with_conf = |command: &mut Command| {
        command
            .env("CONTAINERS_STORAGE_CONF", &conf)
            .env("HOME", stage.path(""));
    };
    let podman = |words: &[&str]| {
        let mut command = Command::new("podman");
        with_conf(&mut command);
        command.args(words);
        command
    };
    let probe = Run::from(podman(&["images"]).output().unwrap());
    if probe.code != Some(0) {
        return skip(&format!("podman does not run here: {probe:#?}"));
    }
    let mut command = stage.command(&["load", "shop:1.0", "--with", "podman"]);
    with_conf(&mut command);
    Run::from(command.output().unwrap()).ends_with(0);
    let format = "{{.Repository}}:{{.Tag}} {{.Digest}} {{.ID}}";
    let list = ["images", "--no-trunc", "--format", format];
    let ids = run(&mut podman(&list));
    for image in [web(), api()] {
        let line = ids.lines().find(|line| line.starts_with(&image.reference));
        assert!(
            line.is_some_and(|line| line.ends_with(&digest(&image.config()))),
            "{ids}"
        );
    }
    run(&mut podman(&["rmi", "--all", "--force"]));
    let serving = serve(&stage, &[]);
    let pulled = format!("{}/shop/api:1.0", serving.host);
    run(&mut podman(&["pull", "-q", "--tls-verify=false", &pulled]));
    let row = format!(
        "{pulled} {} {}",
        manifest_digest(&api()),
        digest(&api().config())
    );
    let ids = run(&mut podman(&list));
    assert_eq!(ids.trim(), row);
    serving.end();
}

/// Programs that are installed and do not work are passed over and named; after a failure it is said what is there.
#[test]
fn load_takes_what_works_and_says_what_was_left_behind() {
    let stage = Stage::new();
    stage.give("images.tar", &files_tar(&made::containerd(&[web(), api()])));
    stage.add("shop:1.0");
    let down = "echo Cannot connect to the Docker daemon at unix:///x. >&2; exit 1";
    program(&stage, "docker", down);
    let own = |stage: &Stage, words: &[&str]| {
        let mut command = stage.command(&[&["load", "shop:1.0"], words].concat());
        // Programs of this machine are not asked.
        fs::create_dir_all(stage.path("tools")).unwrap();
        for tool in ["sh", "cat", "head", "sleep"] {
            let link = stage.path("tools").join(tool);
            if fs::symlink_metadata(&link).is_err() {
                std::os::unix::fs::symlink(Path::new("/usr/bin").join(tool), link).unwrap();
            }
        }
        let (bin, tools) = (stage.path("bin"), stage.path("tools"));
        command.env("PATH", format!("{}:{}", bin.display(), tools.display()));
        Run::from(command.output().unwrap())
    };
    own(&stage, &[]).fails_with(
        1,
        &[
            "docker: Cannot connect to the Docker daemon",
            "hint: start the service",
        ],
    );
    let id = digest(b"what it has");
    let podman = format!(
        "case \"$1\" in info) ;; load) cat > taken.tar ;; image) [ \"$5\" = \"$KNOWN\" ] && echo {id} ;; esac"
    );
    program(&stage, "podman", &podman.replace("$KNOWN", &web_name()));
    let run = own(&stage, &["--json"]).ends_with(0);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["with"], "podman");
    assert_eq!(report["tried"][0]["program"], "docker");
    let names = report["names"].as_array().unwrap();
    let of_web = names
        .iter()
        .find(|each| each["name"] == web_name())
        .unwrap();
    assert_eq!(of_web["digest"], id);
    let others = names.iter().filter(|each| each["name"] != web_name());
    assert!(others.clone().count() > 0 && others.clone().all(|each| each["digest"].is_null()));
    assert!(stage.path("taken.tar").exists());

    // One that ends early: what it has by then is named.
    let podman = podman.replace(
        "cat > taken.tar",
        "head -c 2000 > /dev/null; echo no room >&2; exit 5",
    );
    program(&stage, "podman", &podman.replace("$KNOWN", &web_name()));
    let left = format!("has now, from this or from before: {} ({id})", web_name());
    own(&stage, &[]).fails_with(
        1,
        &["docker: is installed and does not work", "no room", &left],
    );
    program(&stage, "podman", &podman);
    own(&stage, &[]).fails_with(1, &["has none of these images", "no room"]);
    // One that never answers holds nobody up for ever.
    program(&stage, "podman", "exec sleep 100");
    own(&stage, &[]).fails_with(1, &["podman: no answer in 10 s"]);
}

fn web_name() -> String {
    web().reference
}
