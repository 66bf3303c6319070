//! Programs that run images take them from `load` and from `serve`, with the digests that they had.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod made;
mod registry_parts;
mod shown;
mod stage;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use made::{blob_path, digest, files_tar};
use registry_parts::{has, run};
use shown::{api, web};
use stage::{Run, Stage};

/// Puts a program into a folder of the stage.
fn program(stage: &Stage, name: &str, script: &str) {
    let path = stage.path("bin").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
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

#[test]
fn podman_loads_what_load_gives_it() {
    if !has(&["podman"]) {
        return;
    }
    let stage = Stage::new();
    stage.give("images.tar", &files_tar(&made::containerd(&[web(), api()])));
    stage.add("shop:1.0");
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
    let mut probe = Command::new("podman");
    with_conf(&mut probe);
    if !probe.arg("images").output().unwrap().status.success() && std::env::var_os("CI").is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: podman does not run here");
        return;
    }
    let mut command = stage.command(&["load", "shop:1.0", "--with", "podman"]);
    with_conf(&mut command);
    Run::from(command.output().unwrap()).ends_with(0);
    let mut list = Command::new("podman");
    with_conf(&mut list);
    let ids = run(list.args([
        "images",
        "--no-trunc",
        "--format",
        "{{.Repository}}:{{.Tag}} {{.ID}}",
    ]));
    for image in [web(), api()] {
        assert!(
            ids.contains(&format!("{} {}", image.reference, digest(&image.config()))),
            "{ids}"
        );
    }
}
