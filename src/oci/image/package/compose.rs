//! Services of a compose file: their names and images.

use super::yaml::{DocumentPlace, Yaml, YamlError};
use super::{COMPONENTS_MAX, Component};

/// Nesting of `extends` that is followed.
const EXTENDS_MAX: usize = 8;

/// Reads the services, in the order of the file.
///
/// # Errors
/// [`YamlError`] when it is not YAML, or too much of it.
pub(super) fn services(document: &[u8]) -> Result<Vec<Component>, YamlError> {
    let yaml = Yaml::read(&String::from_utf8_lossy(document))?;
    let Some(services) = yaml.root().get("services") else {
        return Ok(Vec::new());
    };
    let told = services.entries().take(COMPONENTS_MAX);
    let component = |(name, service): (&str, DocumentPlace<'_>)| Component {
        name: name.to_owned(),
        version: None,
        image: image(services, service).map(str::to_owned),
        architecture: service
            .get("platform")
            .and_then(DocumentPlace::text)
            .and_then(architecture),
    };
    Ok(told.map(component).collect())
}

/// Returns the image of a service: its own, or that of the service in the same file that it extends.
fn image<'a>(services: DocumentPlace<'a>, mut service: DocumentPlace<'a>) -> Option<&'a str> {
    for _ in 0..EXTENDS_MAX {
        if let Some(image) = service.get("image") {
            return image.text();
        }
        let extends = service.get("extends")?;
        if extends.get("file").is_some() {
            return None;
        }
        let name = extends.text().or_else(|| extends.get("service")?.text())?;
        service = services.get(name)?;
    }
    None
}

/// Returns `arm64` for `linux/arm64/v8`.
fn architecture(platform: &str) -> Option<String> {
    let platform: crate::oci::image::Platform = platform.parse().ok()?;
    Some(platform.architecture)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(document: &str) -> Vec<(String, String)> {
        let services = services(document.as_bytes()).unwrap();
        let both = |each: Component| (each.name, each.image.unwrap_or_default());
        services.into_iter().map(both).collect()
    }

    #[track_caller]
    fn says(document: &str, expected: &[(&str, &str)]) {
        let owned = |(name, image): &(&str, &str)| (String::from(*name), String::from(*image));
        let expected: Vec<_> = expected.iter().map(owned).collect();
        assert_eq!(said(document), expected);
    }

    #[test]
    fn services_are_read_however_the_file_is_written() {
        let both = [("web", "shop/web:1.0"), ("api", "")];
        says(
            "version: \"2.1\"\nservices:\n  web:\n    image: 'shop/web:1.0'\n    volumes:\n    - ./a:/b\n  # note\n  \"api\":\n    build: x\nnetworks:\n  net:\n    image: no\n",
            &both,
        );
        // Services are not first, with four spaces, comments, CRLF line ends and a byte order mark.
        says(
            "\u{feff}# made by hand\r\nname: shop\r\nnetworks: {net: {image: no}}\r\nservices: # all\r\n    web: # first\r\n        environment:\r\n            image: nonsense\r\n        image: \"shop/web:1.0\" # pinned\r\n    api:\r\n        build: {context: .}\r\n",
            &both,
        );
        // On one line, as JSON, and with multi-line texts that look like services.
        says(
            "{services: {web: {image: shop/web:1.0}, api: {build: x}}}",
            &both,
        );
        says(
            "{\"services\": {\"web\": {\"image\": \"shop/web:1.0\"}, \"api\": {}}}",
            &both,
        );
        says(
            "services:\n  web:\n    command: |\n      image: no\n    other:\n      image: no\n    image: >-\n      shop/web:1.0\n  api: null\n",
            &both,
        );
    }

    #[test]
    fn anchors_merges_and_extensions_are_followed() {
        let text = "x-base: &base\n  image: shop/base:1\n  restart: always\nservices:\n  one:\n    <<: *base\n  two: *base\n  three:\n    <<: [*base]\n    image: shop/three:1\n  four:\n    extends:\n      service: three\n  five:\n    extends: four\n  six:\n    extends: {file: other.yaml, service: three}\n  seven:\n    extends: seven\n";
        says(
            text,
            &[
                ("one", "shop/base:1"),
                ("two", "shop/base:1"),
                ("three", "shop/three:1"),
                ("four", "shop/three:1"),
                ("five", "shop/three:1"),
                ("six", ""),
                ("seven", ""),
            ],
        );
    }

    #[test]
    fn platforms_are_told_and_what_is_no_compose_file_has_no_services() {
        let arm = services(b"services: {a: {image: b, platform: linux/arm64/v8}}").unwrap();
        assert_eq!(arm[0].architecture.as_deref(), Some("arm64"));
        says("services:\n", &[]);
        says("services: [a, b]\n", &[]);
        says("just text", &[]);
        says("", &[]);
        assert!(services(b"services: [a, b\n").is_err());
        assert!(services(b"\xff\xfe\x00").is_err());
    }
}
