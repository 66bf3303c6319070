//! The address of a store in a bucket: `s3://BUCKET/PREFIX`, `gs://...`, `az://CONTAINER/PREFIX`.
//!
//! Credentials and endpoints are no part of it. They come from the environment variables that the tools of each
//! provider read, and for Amazon from their files of profiles too.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as ObjectPath;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::fault::{self, ObjectFault};
use super::profile::{AwsProfile, Variables};
use crate::base::term::Action;
use crate::store::storage::StorageError;

/// Most bytes of a bucket and prefix together.
const TEXT_MAX: usize = 512;
/// How long a request is repeated that fails in passing.
const RETRY_TIME: Duration = Duration::from_secs(120);
/// How often.
const RETRIES: usize = 8;

/// Whose object store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    Amazon,
    Azure,
    Google,
}

/// A bucket and a prefix in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAddress {
    provider: Provider,
    bucket: String,
    /// Without slashes at either end. It may be empty.
    prefix: String,
    text: String,
}

const PROVIDERS: [(&str, Provider); 3] = [
    ("s3://", Provider::Amazon),
    ("gs://", Provider::Google),
    ("az://", Provider::Azure),
];

impl ObjectAddress {
    /// Reads an address. Returns `None` when it is not well written.
    pub fn parse(path: &Path) -> Option<Self> {
        let text = path.to_str()?;
        let found = PROVIDERS
            .iter()
            .find(|(scheme, _)| text.starts_with(scheme));
        let (scheme, provider) = *found?;
        let place = text.strip_prefix(scheme)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_bucket = (3..=222).contains(&bucket.len()) && bucket.bytes().all(is_plain);
        let is_part = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_plain)
        };
        let is_prefix = prefix.is_empty() || prefix.split('/').all(is_part);
        (is_bucket && is_prefix && place.len() <= TEXT_MAX).then(|| Self {
            provider,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            text: format!("{scheme}{}", place.trim_end_matches('/')),
        })
    }

    /// Returns the address as it is written.
    pub fn text(&self) -> String {
        self.text.clone()
    }

    /// Returns the address of an object.
    pub(super) fn text_of(&self, name: &str) -> String {
        if name.is_empty() {
            return self.text();
        }
        format!("{}/{name}", self.text)
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the path of an object in the bucket.
    pub(super) fn path(&self, name: &str) -> ObjectPath {
        let whole = match (self.prefix.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (_, true) => self.prefix.clone(),
            _ => format!("{}/{name}", self.prefix),
        };
        // Names stay as they are. `from` would write other characters for some of them, which a listing then has.
        ObjectPath::parse(&whole).unwrap_or_else(|_| ObjectPath::from(whole))
    }

    /// Makes the client, by what the environment says.
    pub(super) fn client(&self) -> Result<Arc<dyn ObjectStore>, StorageError> {
        provide_tls();
        let made = match self.provider {
            Provider::Amazon => {
                let variable = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty());
                let builder = with_profile(AmazonS3Builder::from_env(), &variable)
                    .map_err(|error| fault::named(Action::Open, self.text(), error))?;
                self.amazon(builder)
            }
            Provider::Google => self.google(),
            Provider::Azure => self.azure(),
        };
        made.map_err(|error| fault::of(Action::Open, self.text(), error))
    }

    fn amazon(&self, builder: AmazonS3Builder) -> object_store::Result<Arc<dyn ObjectStore>> {
        let builder = builder.with_bucket_name(&self.bucket);
        // Whoever names an endpoint without TLS means it, as with the provider's own tools.
        let is_plain = endpoint(&builder).is_some_and(|endpoint| endpoint.starts_with("http://"));
        let builder = builder.with_retry(retry()).with_client_options(options());
        Ok(Arc::new(builder.with_allow_http(is_plain).build()?))
    }

    fn google(&self) -> object_store::Result<Arc<dyn ObjectStore>> {
        let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&self.bucket);
        // As with S3: only whoever names another base URL has one without TLS.
        let options = options().with_allow_http(true);
        let builder = builder.with_retry(retry()).with_client_options(options);
        Ok(Arc::new(builder.build()?))
    }

    fn azure(&self) -> object_store::Result<Arc<dyn ObjectStore>> {
        let builder = MicrosoftAzureBuilder::from_env().with_container_name(&self.bucket);
        let endpoint = builder.get_config_value(&AzureConfigKey::Endpoint);
        let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let builder = builder.with_retry(retry()).with_client_options(options());
        Ok(Arc::new(builder.with_allow_http(is_plain).build()?))
    }
}

fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
    [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .find_map(|key| builder.get_config_value(key))
}

/// Takes from the files of profiles what the environment leaves open.
fn with_profile(
    builder: AmazonS3Builder,
    variables: Variables<'_>,
) -> Result<AmazonS3Builder, ObjectFault> {
    use AmazonS3ConfigKey as Key;
    let says = |key| {
        let value = builder.get_config_value(&key);
        value.is_some_and(|value| !value.is_empty())
    };
    let has_keys = says(Key::AccessKeyId) || says(Key::SecretAccessKey);
    // A role of the machine's own, by a token in a file, comes before profiles.
    let has_role = says(Key::WebIdentityTokenFile) && says(Key::RoleArn);
    let is_unsigned = builder.get_config_value(&Key::SkipSignature).as_deref() == Some("true");
    let (has_region, has_endpoint) = (says(Key::Region), endpoint(&builder).is_some());
    let profile = AwsProfile::read(variables)?;
    let mut builder = builder;
    let mut set = |key, value: Option<String>| {
        if let Some(value) = value {
            builder = std::mem::take(&mut builder).with_config(key, value);
        }
    };
    if !has_region {
        set(Key::Region, profile.region.clone());
    }
    if !has_endpoint {
        set(Key::Endpoint, profile.endpoint.clone());
    }
    if !has_keys && !has_role && !is_unsigned {
        profile.must_have_keys()?;
        set(Key::AccessKeyId, profile.access_key_id);
        set(Key::SecretAccessKey, profile.secret_access_key);
        set(Key::Token, profile.session_token);
    }
    Ok(builder)
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES,
        retry_timeout: RETRY_TIME,
    }
}

fn options() -> ClientOptions {
    ClientOptions::new()
        .with_user_agent(http_value(concat!("carryall/", env!("CARGO_PKG_VERSION"))))
        .with_connect_timeout(Duration::from_secs(10))
        // A part of 8 MiB at 64 KiB a second.
        .with_timeout(Duration::from_secs(180))
}

fn http_value(text: &'static str) -> object_store::HeaderValue {
    object_store::HeaderValue::from_static(text)
}

/// The client leaves it to the program whose cryptography TLS is made of.
fn provide_tls() {
    // It fails when somebody has chosen already, and then that choice stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let read = |text: &str| ObjectAddress::parse(Path::new(text));
        let address = read("s3://releases/team/a/").unwrap();
        assert_eq!(address.text(), "s3://releases/team/a");
        assert_eq!(address.path("packs/ab/x").as_ref(), "team/a/packs/ab/x");
        assert_eq!(
            address.path("r/shop%3a1.0~#").as_ref(),
            "team/a/r/shop%3a1.0~#"
        );
        assert_eq!(address.path("").as_ref(), "team/a");
        assert_eq!(address.text_of("x"), "s3://releases/team/a/x");
        assert_eq!(read("gs://releases").unwrap().path("x").as_ref(), "x");
        assert!(read("az://box/p").is_some());
        let wrong = [
            "s3://",
            "s3://ab",
            "s3://ab c/d",
            "s3://abc//d",
            "s3://abc/../d",
            "s3://abc/d?e",
            "http://abc/d",
            "/s3",
        ];
        for text in wrong {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
