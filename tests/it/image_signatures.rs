//! Signatures of images are verified with the keys of the site, and nothing else counts as one.

use crate::testkit::cosign::{
    ImageSigner, SIGN, SLSA, base64, bundle_of, envelope_of, message_bundle_of, payload_of,
    statement_of,
};
use crate::testkit::programs::{ask_skopeo, has, raw_digest, skopeo};
use crate::testkit::registry_parts::{LayoutMaker, RealRegistry};
use crate::testkit::stage::{Run, Stage};

use carryall::oci::image::{Digest, OCI_MANIFEST};
use serde_json::{Value, json};

/// A site with a layout in the making, two keys, and trust in one of them.
struct Site {
    stage: Stage,
    layout: LayoutMaker,
    vendor: ImageSigner,
    stranger: ImageSigner,
}

impl Site {
    /// Without openssl there is none.
    fn new() -> Option<Self> {
        if !has(&["openssl"]) {
            return None;
        }
        let stage = Stage::new();
        let site = Self {
            layout: LayoutMaker::new(&stage.path("layout")),
            vendor: ImageSigner::p256(&stage.path(""), "vendor"),
            stranger: ImageSigner::p256(&stage.path(""), "stranger"),
            stage,
        };
        site.trust(&["vendor.pub", "--name", "Example Ltd"]);
        Some(site)
    }

    #[track_caller]
    fn trust(&self, words: &[&str]) {
        let words = [&["trust", "add", "--images"], words].concat();
        self.stage.run(&words).ends_with(0);
    }

    /// An image under a name.
    fn image(&mut self, name: &str, seed: u64) -> Value {
        let image = self.layout.image("amd64", &[seed]);
        let name = format!("registry.example/shop/{name}:1.0");
        self.layout.name(&image, Some(&name));
        image
    }

    /// A signature of an image in cosign's older form.
    fn sign(&mut self, image: &Value, signer: fn(&Self) -> &ImageSigner) -> Value {
        let payload = payload_of(image);
        let signature = signer(self).sign(&payload);
        let manifest = self.layout.cosign(&[(&payload, &signature)]);
        self.layout.attach(&manifest, image, "sig");
        manifest
    }

    #[track_caller]
    fn add(&self) {
        self.stage.run(&["add", "shop:1.0", "layout"]).ends_with(0);
    }

    fn verify(&self, words: &[&str]) -> Run {
        let words = [&["--json", "show", "shop:1.0", "--verify"], words].concat();
        self.stage.run(&words)
    }
}

/// What is said of the image with this name.
#[track_caller]
fn verdict<'a>(report: &'a Value, name: &str) -> &'a Value {
    let name = format!("registry.example/shop/{name}:1.0");
    let mut images = report["images"].as_array().unwrap().iter();
    let image = images.find(|image| image["references"][0] == *name);
    &image.unwrap_or_else(|| panic!("{name} in {report:#}"))["signatures"]
}

#[track_caller]
fn stands(report: &Value, name: &str, standing: &str, states: &[&str]) {
    let verdict = verdict(report, name);
    assert_eq!(verdict["standing"], standing, "{name}: {verdict:#}");
    let signatures = verdict["signatures"].as_array().unwrap().iter();
    let found: Vec<&Value> = signatures.map(|signature| &signature["state"]).collect();
    assert_eq!(found, states, "{name}: {verdict:#}");
}

#[test]
fn an_image_is_verified_when_a_key_of_the_site_signed_it_and_otherwise_told() {
    let Some(mut site) = Site::new() else {
        return;
    };
    let signed = site.image("signed", 1);
    site.sign(&signed, |site| &site.vendor);
    site.image("bare", 2);
    let strange = site.image("strange", 3);
    site.sign(&strange, |site| &site.stranger);
    // The signature of another image, under the tag of this one.
    let copied = site.image("copied", 4);
    let payload = payload_of(&signed);
    let signature = site.vendor.sign(&payload);
    let manifest = site.layout.cosign(&[(&payload, &signature)]);
    site.layout.attach(&manifest, &copied, "sig");
    // The payload was changed so that it names this image.
    let altered = site.image("altered", 5);
    let manifest = site.layout.cosign(&[(&payload_of(&altered), &signature)]);
    site.layout.attach(&manifest, &altered, "sig");
    site.add();

    let report = site.verify(&[]).ends_with(3).json();
    stands(&report, "signed", "verified", &["verified"]);
    stands(&report, "bare", "not_signed", &[]);
    stands(&report, "strange", "stranger", &["stranger"]);
    stands(&report, "copied", "wrong", &["other_image"]);
    stands(&report, "altered", "stranger", &["stranger"]);
    let right = verdict(&report, "signed");
    assert_eq!(right["signed_by"], serde_json::json!(["Example Ltd"]));
    assert_eq!(right["signed_digest"], signed["digest"]);
    let copy = &verdict(&report, "copied")["signatures"][0];
    assert_eq!(
        (&copy["key"], &copy["signs"]),
        (&"Example Ltd".into(), &signed["digest"])
    );

    site.verify(&["--image", "shop/signed"]).ends_with(0);
    let words = ["show", "shop:1.0", "--verify"];
    let said = site.stage.run(&words).ends_with(3).stdout;
    for words in [
        "1 of 5 images signed with a key that this site trusts",
        "signed by Example Ltd",
        "by Example Ltd, but of another image",
        "checked without a network",
    ] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    // Without the key nobody is trusted, and with the other one it is the other image that is signed.
    site.stage.run(&["trust", "rm", "Example Ltd"]).ends_with(0);
    let report = site.verify(&[]).ends_with(3).json();
    stands(&report, "signed", "stranger", &["stranger"]);
    site.trust(&["stranger.pub"]);
    let report = site.verify(&[]).ends_with(3).json();
    stands(&report, "signed", "stranger", &["stranger"]);
    stands(&report, "strange", "verified", &["verified"]);
    // Nobody is told of signatures who did not ask.
    let report = site.stage.run(&["--json", "show", "shop:1.0"]).ends_with(0);
    assert!(report.json()["images"][0]["signatures"].is_null());
}

#[test]
fn newer_bundles_count_as_much_and_statements_are_no_signatures() {
    let Some(mut site) = Site::new() else {
        return;
    };
    let notes = json!({"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": SIGN});
    let bundle = |subject: &Value, kind: &str, signer: &ImageSigner| {
        bundle_of(&envelope_of(&statement_of(subject, kind), signer), signer)
    };
    // By an envelope, and by the bytes of the manifest.
    let envelope = site.image("envelope", 1);
    let signed = bundle(&envelope, SIGN, &site.vendor).to_string();
    site.layout.refer(&envelope, signed.as_bytes(), &notes);
    let message = site.image("message", 2);
    let manifest = site.layout.bytes_of(&message);
    let hash = Digest::of(&manifest);
    let signed = message_bundle_of(&manifest, &raw(&hash), &site.vendor).to_string();
    site.layout.refer(&message, signed.as_bytes(), &json!({}));
    // The digest beside a signature is not signed: it may say anything.
    let lying = site.image("lying", 3);
    let hash = Digest::of(&site.layout.bytes_of(&lying));
    let signed = message_bundle_of(&manifest, &raw(&hash), &site.vendor).to_string();
    site.layout.refer(&lying, signed.as_bytes(), &json!({}));
    // A copy, another's, a changed one, one with a certificate, and what is none.
    let copied = site.image("copied", 4);
    let signed = bundle(&envelope, SIGN, &site.vendor).to_string();
    site.layout.refer(&copied, signed.as_bytes(), &notes);
    let strange = site.image("strange", 5);
    let signed = bundle(&strange, SIGN, &site.stranger).to_string();
    site.layout.refer(&strange, signed.as_bytes(), &notes);
    let changed = site.image("changed", 6);
    let mut signed = bundle(&envelope, SIGN, &site.vendor);
    signed["dsseEnvelope"]["payload"] = base64(&statement_of(&changed, SIGN)).into();
    site.layout
        .refer(&changed, signed.to_string().as_bytes(), &notes);
    let keyless = site.image("keyless", 7);
    let mut signed = bundle(&keyless, SIGN, &site.stranger);
    signed["verificationMaterial"] =
        json!({"certificate": {"rawBytes": "AAAA"}, "tlogEntries": []});
    site.layout
        .refer(&keyless, signed.to_string().as_bytes(), &notes);
    let broken = site.image("broken", 8);
    site.layout.refer(&broken, b"{\"mediaType\":[[[[", &notes);
    // A statement that the vendor signed says something of the image, and does not sign it.
    let stated = site.image("stated", 9);
    let signed = bundle(&stated, SLSA, &site.vendor).to_string();
    site.layout.refer(
        &stated,
        signed.as_bytes(),
        &json!({"dev.sigstore.bundle.predicateType": SLSA}),
    );
    let older = envelope_of(&statement_of(&stated, SLSA), &site.vendor);
    let manifest = site.layout.cosign_statements(&[older], SLSA);
    site.layout.attach(&manifest, &stated, "att");
    site.add();

    let report = site.verify(&[]).ends_with(3).json();
    stands(&report, "envelope", "verified", &["verified"]);
    stands(&report, "message", "verified", &["verified"]);
    stands(&report, "lying", "wrong", &["wrong"]);
    stands(&report, "copied", "wrong", &["other_image"]);
    stands(&report, "strange", "stranger", &["stranger"]);
    stands(&report, "changed", "wrong", &["wrong"]);
    stands(&report, "keyless", "not_checked", &["keyless"]);
    stands(&report, "broken", "wrong", &["unreadable"]);
    stands(&report, "stated", "not_signed", &[]);
    let statements = verdict(&report, "stated")["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 2, "{statements:#?}");
    for statement in statements {
        assert_eq!(statement["state"], "verified", "{statement:#}");
        assert_eq!(statement["predicate_type"], SLSA, "{statement:#}");
    }
}

#[test]
fn keys_of_every_kind_verify_and_no_other_is_taken() {
    let Some(mut site) = Site::new() else {
        return;
    };
    let folder = site.stage.path("");
    let kinds: [(&str, &[&str], &[&str]); 6] = [
        (
            "p384",
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            &["-sha384"],
        ),
        (
            "p384old",
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            &["-sha256"],
        ),
        ("ed25519", &["-algorithm", "ED25519"], &[]),
        (
            "rsa",
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            &["-sha256"],
        ),
        (
            "pss",
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
            &[
                "-sha256",
                "-sigopt",
                "rsa_padding_mode:pss",
                "-sigopt",
                "rsa_pss_saltlen:digest",
            ],
        ),
        (
            "p256",
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            &["-sha256"],
        ),
    ];
    for (seed, (name, words, ways)) in kinds.iter().enumerate() {
        let signer = ImageSigner::make(&folder, name, words);
        site.trust(&[&format!("{name}.pub")]);
        let image = site.image(name, seed as u64 + 1);
        let payload = payload_of(&image);
        let signature = signer.sign_with(&payload, ways);
        let manifest = site.layout.cosign(&[(&payload, &signature)]);
        site.layout.attach(&manifest, &image, "sig");
    }
    site.add();
    let report = site.verify(&[]).ends_with(0).json();
    for (name, ..) in kinds {
        stands(&report, name, "verified", &["verified"]);
        assert_eq!(verdict(&report, name)["signed_by"], json!([name]));
    }
    let listed = site.stage.run(&["trust", "list"]).ends_with(0).stdout;
    for word in ["ECDSA P-384", "Ed25519", "RSA", "for images"] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"];
    ImageSigner::make(&folder, "p521", &curve);
    ImageSigner::make(
        &folder,
        "short",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    );
    for (key, words) in [
        ("p521.pub", "not supported"),
        ("short.pub", "not supported"),
        ("vendor.key", "a secret key"),
        ("layout/index.json", "not a public key in PEM"),
        ("absent.pub", "neither a public key nor a file"),
    ] {
        let run = site.stage.run(&["trust", "add", key, "--images"]);
        run.fails_with(1, &[words]);
    }
    // Sets are signed with other keys than images, and neither is taken for the other.
    site.stage
        .run(&["trust", "add", "vendor.pub"])
        .fails_with(1, &["--images"]);
    let bad = [
        "trust",
        "add",
        "p256.pub",
        "--images",
        "--for",
        "shop/web:1.0",
    ];
    site.stage
        .run(&bad)
        .fails_with(1, &["no pattern of images"]);
}

#[test]
fn a_key_counts_for_the_images_that_it_is_trusted_for() {
    let Some(mut site) = Site::new() else {
        return;
    };
    let words = [
        "vendor.pub",
        "--name",
        "Example Ltd",
        "--for",
        "registry.example/shop/we*",
    ];
    site.trust(&words);
    let web = site.image("web", 1);
    site.sign(&web, |site| &site.vendor);
    let api = site.image("api", 2);
    site.sign(&api, |site| &site.vendor);
    // One image under both names is not the vendor's to name.
    let both = site.image("web2", 3);
    site.sign(&both, |site| &site.vendor);
    site.layout
        .name(&both, Some("registry.example/shop/db:1.0"));
    site.add();
    let report = site.verify(&[]).ends_with(3).json();
    stands(&report, "web", "verified", &["verified"]);
    stands(&report, "api", "other_name", &["other_name"]);
    stands(&report, "web2", "other_name", &["verified"]);
}

#[test]
fn it_is_told_whether_the_index_or_an_image_in_it_is_signed() {
    let Some(mut site) = Site::new() else {
        return;
    };
    let children = [
        site.layout.image("amd64", &[1]),
        site.layout.image("arm64", &[2]),
    ];
    let whole = site.layout.index(&children);
    site.layout
        .name(&whole, Some("registry.example/shop/whole:1.0"));
    site.sign(&whole, |site| &site.vendor);
    let halves = [
        site.layout.image("amd64", &[3]),
        site.layout.image("arm64", &[4]),
    ];
    let half = site.layout.index(&halves);
    site.layout
        .name(&half, Some("registry.example/shop/half:1.0"));
    site.sign(&halves[0], |site| &site.vendor);
    site.add();
    let report = site.verify(&[]).ends_with(3).json();
    let of = |digest: &Value| {
        let mut images = report["images"].as_array().unwrap().iter();
        let image = images.find(|image| image["digest"] == *digest).unwrap();
        image["signatures"].clone()
    };
    for child in &children {
        let verdict = of(&child["digest"]);
        assert_eq!(verdict["standing"], "verified", "{verdict:#}");
        assert_eq!(verdict["signed_digest"], whole["digest"]);
    }
    let (signed, bare) = (of(&halves[0]["digest"]), of(&halves[1]["digest"]));
    assert_eq!(
        (&signed["standing"], &bare["standing"]),
        (&"verified".into(), &"not_signed".into())
    );
    assert_eq!(signed["signed_digest"], halves[0]["digest"]);
    let said = site.stage.run(&["show", "shop:1.0", "--verify"]).stdout;
    assert!(said.contains("as part of the index"), "{said}");
}

#[test]
fn nothing_is_pushed_unless_all_of_it_is_signed_and_signatures_go_along() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let Some(mut site) = Site::new() else {
        return;
    };
    let registry = RealRegistry::start();
    let children = [
        site.layout.image("amd64", &[1]),
        site.layout.image("arm64", &[2]),
    ];
    let web = site.layout.index(&children);
    site.layout
        .name(&web, Some("registry.example/shop/web:1.0"));
    let sig = site.sign(&web, |site| &site.vendor);
    let bundle = bundle_of(
        &envelope_of(&statement_of(&web, SIGN), &site.vendor),
        &site.vendor,
    );
    let referrer = site
        .layout
        .refer(&web, bundle.to_string().as_bytes(), &json!({}));
    site.add();
    let to = format!("{}/site", registry.host);
    let push = |site: &Site, more: &[&str]| {
        let words = ["push", "shop:1.0", &to, "--require-signed"];
        site.stage.run(&[&words, more].concat())
    };
    push(&site, &[]).ends_with(0);
    // An outside reader finds the index, its signature by cosign's tag, and the bundle by the tag of its referrers.
    let web_digest = web["digest"].as_str().unwrap();
    let at = |tag: &str| raw_digest(&[], &format!("docker://{to}/shop/web:{tag}"));
    assert_eq!(at("1.0"), web_digest);
    assert_eq!(at(&LayoutMaker::cosign_tag(&web, "sig")), sig["digest"]);
    let list = format!("docker://{to}/shop/web:{}", web_digest.replace(':', "-"));
    let list = ask_skopeo(&["inspect", "--raw", "--tls-verify=false", &list]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        list["manifests"][0]["digest"], referrer["digest"],
        "{list:#}"
    );
    // They come along when the image is pulled from there, and verify at the next site.
    let image = format!("docker://{to}/shop/web:1.0");
    site.stage.run(&["add", "back:1.0", &image]).ends_with(0);
    let back = site
        .stage
        .run(&["--json", "show", "back:1.0", "--verify"])
        .ends_with(0);
    let back = back.json();
    let states = back["images"][0]["signatures"]["signatures"]
        .as_array()
        .unwrap();
    assert_eq!(states.len(), 2, "{back:#}");

    // One image that is not signed keeps everything back.
    let bare = site.image("bare", 3);
    let half = [site.layout.image("amd64", &[4])];
    let index = site.layout.index(&half);
    site.layout
        .name(&index, Some("registry.example/shop/half:1.0"));
    site.sign(&half[0], |site| &site.vendor);
    // An image that claims to be an attachment, under a name of its own.
    let (manifest, subject) = (site.layout.bytes_of(&bare), &web);
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["subject"] = json!({"mediaType": subject["mediaType"], "digest": subject["digest"], "size": subject["size"]});
    let disguised = site
        .layout
        .blob(OCI_MANIFEST, manifest.to_string().as_bytes());
    site.layout
        .name(&disguised, Some("registry.example/shop/disguised:1.0"));
    site.stage.run(&["rm", "shop:1.0"]).ends_with(0);
    site.add();
    let other = format!("{}/other", registry.host);
    let words = ["push", "shop:1.0", &other, "--require-signed"];
    let run = site.stage.run(&words).fails_with(
        1,
        &[
            "3 images are not signed",
            "shop/bare:1.0",
            "shop/half:1.0",
            "shop/disguised:1.0",
            "the index is not signed itself",
            "not signed",
            "--verify",
        ],
    );
    assert!(!run.stderr.contains("shop/web"), "{run:#?}");
    let tags = format!("docker://{other}/shop/web");
    let listed = skopeo()
        .args(["list-tags", "--tls-verify=false", &tags])
        .output();
    assert!(!listed.unwrap().status.success(), "nothing was pushed");
    site.stage
        .run(&[&words[..], &["--image", "shop/web"]].concat())
        .ends_with(0);
    // `load` asks for the same, before it looks for a program.
    let words = [
        "load",
        "shop:1.0",
        "--require-signed",
        "--image",
        "shop/bare",
    ];
    site.stage
        .run(&words)
        .fails_with(1, &["1 image is not signed", "shop/bare:1.0"]);
}

#[test]
fn hostile_signatures_end_in_an_answer() {
    let Some(mut site) = Site::new() else {
        return;
    };
    // More signatures than are read: the right one comes too late.
    let many = site.image("many", 1);
    let payload = payload_of(&many);
    let (right, junk) = (site.vendor.sign(&payload), b"junk".to_vec());
    let mut signatures: Vec<(&[u8], &[u8])> = vec![(&payload, &junk); 300];
    signatures.push((&payload, &right));
    let manifest = site.layout.cosign(&signatures);
    site.layout.attach(&manifest, &many, "sig");
    // A right signature of a payload with a name twice, and of one that is no payload.
    let twice = site.image("twice", 2);
    let text = String::from_utf8(payload_of(&twice)).unwrap();
    let text = text.replacen(
        "\"image\":",
        "\"image\":{\"docker-manifest-digest\":\"x\"},\"image\":",
        1,
    );
    let signature = site.vendor.sign(text.as_bytes());
    let manifest = site.layout.cosign(&[(text.as_bytes(), &signature)]);
    site.layout.attach(&manifest, &twice, "sig");
    let deep = site.image("deep", 3);
    let text = "[".repeat(1_000_000).into_bytes();
    let signature = site.vendor.sign(&text);
    let manifest = site.layout.cosign(&[(&text, &signature)]);
    site.layout.attach(&manifest, &deep, "sig");
    // A payload of more bytes than are read, rightly signed.
    let long = site.image("long", 4);
    let mut text = payload_of(&long);
    text.resize(17 << 20, b' ');
    let signature = site.vendor.sign(&text);
    let manifest = site.layout.cosign(&[(&text, &signature)]);
    site.layout.attach(&manifest, &long, "sig");
    // A payload whose bytes do not match the digest that the manifest gives them.
    let swapped = site.image("swapped", 5);
    let payload = payload_of(&swapped);
    let manifest = site
        .layout
        .cosign(&[(b"something else", &site.vendor.sign(&payload))]);
    let hex = Digest::of(b"something else").hex().to_owned();
    std::fs::write(site.layout.folder.join("blobs/sha256").join(hex), &payload).unwrap();
    site.layout.attach(&manifest, &swapped, "sig");
    site.add();
    let report = site.verify(&[]).ends_with(3).json();
    let cut = verdict(&report, "many");
    assert_eq!(
        (&cut["standing"], &cut["is_cut"]),
        (&"stranger".into(), &true.into())
    );
    assert_eq!(cut["signatures"].as_array().unwrap().len(), 256);
    for name in ["twice", "deep", "long"] {
        stands(&report, name, "wrong", &["unreadable"]);
    }
    let swapped = &verdict(&report, "swapped")["standing"];
    assert!(swapped != "verified", "{report:#}");
}

#[test]
fn attachments_are_listed_and_taken_out_as_they_came() {
    let Some(mut site) = Site::new() else {
        return;
    };
    // As BuildKit builds: an image, and an attestation of it in the same index.
    let image = site.layout.image("amd64", &[1]);
    let sbom = statement_of(&image, "https://spdx.dev/Document");
    let built = statement_of(&image, SLSA);
    let layers = [(&sbom, "https://spdx.dev/Document"), (&built, SLSA)].map(|(bytes, kind)| {
        let mut layer = site.layout.blob("application/vnd.in-toto+json", bytes);
        layer["annotations"] = json!({"in-toto.io/predicate-type": kind});
        layer
    });
    let mut attestation = site.layout.artifact(layers.to_vec());
    attestation["platform"] = json!({"architecture": "unknown", "os": "unknown"});
    attestation["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"],
    });
    let index = site.layout.index(&[image.clone(), attestation]);
    site.layout
        .name(&index, Some("registry.example/shop/web:1.0"));
    let sig = site.sign(&index, |site| &site.vendor);
    let other = site.image("other", 2);
    site.sign(&other, |site| &site.vendor);
    let spdx = br#"{"spdxVersion": "SPDX-2.3", "name": "shop"}"#;
    std::fs::write(site.layout.folder.join("shop.spdx.json"), spdx).unwrap();
    site.add();

    let report = site
        .stage
        .run(&["--json", "show", "shop:1.0"])
        .ends_with(0)
        .json();
    let kinds = |report: &Value| {
        let list = report["attachments"].as_array().unwrap().iter();
        let mut kinds: Vec<String> = list
            .map(|each| each["kind"].as_str().unwrap().into())
            .collect();
        kinds.sort();
        kinds
    };
    assert_eq!(
        kinds(&report),
        ["provenance", "sbom", "signature", "signature"]
    );
    let document = &report["documents"][0];
    assert_eq!(
        (&document["path"], &document["format"]),
        (&"shop.spdx.json".into(), &"spdx".into())
    );
    let said = site.stage.run(&["show", "shop:1.0"]).ends_with(0).stdout;
    for words in [
        "attached to the images: 4",
        "SBOM  https://spdx.dev/Document",
        "layout/shop.spdx.json",
    ] {
        assert!(said.contains(words), "{words} is not in {said}");
    }

    let words = [
        "--json",
        "checkout",
        "shop:1.0",
        "papers",
        "--as",
        "attachments",
        "--image",
        "shop/web",
    ];
    let out = site.stage.run(&words).ends_with(0).json();
    assert_eq!(kinds(&out), ["provenance", "sbom", "signature"]);
    for each in out["attachments"].as_array().unwrap() {
        let bytes = std::fs::read(
            site.stage
                .path("papers")
                .join(each["file"].as_str().unwrap()),
        );
        let bytes = bytes.unwrap();
        assert_eq!(
            Digest::of(&bytes).as_str(),
            each["digest"].as_str().unwrap()
        );
        if each["kind"] == "sbom" {
            assert_eq!(bytes, sbom);
        }
    }
    // The signature of a payload is in the manifest, which lies beside it.
    let folder = format!(
        "papers/{}",
        index["digest"].as_str().unwrap().replace(':', "-")
    );
    let hex = sig["digest"]
        .as_str()
        .unwrap()
        .strip_prefix("sha256:")
        .unwrap();
    let manifest = site
        .stage
        .path(&folder)
        .join(format!("manifest-{hex}.json"));
    assert_eq!(std::fs::read(manifest).unwrap(), site.layout.bytes_of(&sig));
    let list = std::fs::read(site.stage.path("papers/attachments.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list, out["attachments"]);
    let again = site.stage.run(&words[1..]);
    again.fails_with(1, &["papers is not empty"]);
    let words = ["checkout", "shop:1.0", "all", "--as", "attachments"];
    let said = site.stage.run(&words).ends_with(0).stdout;
    assert!(said.contains("4 attachments"), "{said}");
    std::fs::write(site.stage.path("file.bin"), b"x").unwrap();
    site.stage
        .run(&["add", "none:1.0", "file.bin"])
        .ends_with(0);
    let words = ["checkout", "none:1.0", "nothing", "--as", "attachments"];
    site.stage
        .run(&words)
        .fails_with(1, &["nothing is attached"]);
    assert!(!site.stage.path("nothing").exists());
}

/// The bytes of a digest.
fn raw(digest: &Digest) -> Vec<u8> {
    let hex = digest.hex().as_bytes().chunks(2);
    hex.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn what_sigstores_own_library_signed_is_verified() {
    let stage = Stage::new();
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/signed");
    let (layout, key) = (data.join("sigstore-js"), data.join("sigstore-js.pub"));
    let add = ["add".as_ref(), "shop:1.0".as_ref(), layout.as_os_str()];
    stage.run(&add).ends_with(0);
    let show = ["--json", "show", "shop:1.0", "--verify"];
    let report = stage.run(&show).ends_with(3).json();
    stands(&report, "envelope", "stranger", &["stranger"]);
    stands(&report, "message", "stranger", &["stranger"]);
    let trust = [
        "trust".as_ref(),
        "add".as_ref(),
        key.as_os_str(),
        "--images".as_ref(),
    ];
    stage.run(&trust).ends_with(0);
    let report = stage.run(&show).ends_with(0).json();
    stands(&report, "envelope", "verified", &["verified"]);
    stands(&report, "message", "verified", &["verified"]);
    let named = json!(["sigstore-js"]);
    assert_eq!(verdict(&report, "message")["signed_by"], named);
}
