//! `metadata.json` of an application template.

use serde_json::Value;

use super::{COMPONENTS_MAX, Component, NAME_BYTES_MAX, Package};
use crate::oci::image::Digest;

/// Reads `metadata.json`. Returns false when it belongs to something else.
pub(super) fn read(bytes: &[u8], package: &mut Package) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return false;
    };
    let list = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let (key, name) = (field(&value, "group_key"), field(&value, "group_name"));
    if value.get("apps").is_none() || (key.is_none() && name.is_none()) {
        return false;
    }
    package.key = key;
    package.name = name.unwrap_or_else(|| package.name.clone());
    package.version = field(&value, "group_version").unwrap_or_else(|| package.version.clone());
    package.content = Some(Digest::of(bytes));
    let says_none = value.get("with_image_data").and_then(Value::as_bool) == Some(false);
    package.has_images = !says_none;
    let first = |value: &Value, keys: &[&str]| keys.iter().find_map(|key| field(value, key));
    let component = |value: &Value| Component {
        name: first(
            value,
            &["service_cname", "k8s_component_name", "service_id"],
        )
        .unwrap_or_default(),
        version: first(value, &["deploy_version", "version"]),
        image: first(value, &["share_image", "image"]),
        architecture: field(value, "arch"),
    };
    let plugin = |value: &Value| Component {
        name: first(value, &["plugin_alias", "plugin_name", "plugin_id"]).unwrap_or_default(),
        version: field(value, "build_version"),
        image: first(value, &["share_image", "image"]),
        architecture: field(value, "arch"),
    };
    package.components = list("apps").take(COMPONENTS_MAX).map(component).collect();
    package.plugins = list("plugins").take(COMPONENTS_MAX).map(plugin).collect();
    true
}

/// Returns a text field of a JSON object, if it is present and not empty.
fn field(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    let is_said = !text.is_empty() && text.len() <= NAME_BYTES_MAX;
    is_said.then(|| text.to_owned())
}
