//! What the tools of AWS keep in files by profiles: credentials, region and endpoint.
//!
//! It reads `~/.aws/credentials` and `~/.aws/config` as these tools do, and knows keys that stand there. What must be asked
//! of somebody first (single sign-on, roles, programs) is refused by its name. Memory: each file, 1 MiB at most.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::ObjectFault;

/// Most bytes of a file.
const BYTES_MAX: u64 = 1 << 20;
/// The profile of whoever names none.
const DEFAULT: &str = "default";
/// Settings of a profile whose credentials must be asked of somebody.
const UNSUPPORTED: [&str; 7] = [
    "credential_process",
    "login_session",
    "role_arn",
    "source_profile",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// A variable of the environment, empty ones left out.
pub(super) type Variables<'v> = &'v dyn Fn(&str) -> Option<OsString>;
type ProfileKeys = BTreeMap<String, String>;

/// What a profile says. What it leaves out is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AwsProfile {
    pub(super) access_key_id: Option<String>,
    pub(super) secret_access_key: Option<String>,
    pub(super) session_token: Option<String>,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<String>,
    /// Where its credentials would come from, if they must be asked of somebody.
    unsupported: Option<&'static str>,
    name: String,
}

impl AwsProfile {
    /// Reads the profile that the environment names, from the files that it names.
    ///
    /// # Errors
    /// [`ObjectFault::ProfileFile`], or [`ObjectFault::NoProfile`] when it is named and nowhere.
    pub(super) fn read(variables: Variables<'_>) -> Result<Self, ObjectFault> {
        let text = |name| variables(name).map(|value| value.to_string_lossy().into_owned());
        let asked = text("AWS_PROFILE").or_else(|| text("AWS_DEFAULT_PROFILE"));
        let name = asked.as_deref().unwrap_or(DEFAULT);
        let place = |variable, file: &str| {
            let home = || variables("HOME").map(|home| Path::new(&home).join(".aws").join(file));
            variables(variable).map(PathBuf::from).or_else(home)
        };
        let credentials = sections(place("AWS_SHARED_CREDENTIALS_FILE", "credentials"))?;
        let config = sections(place("AWS_CONFIG_FILE", "config"))?;
        let in_config = config.get(&format!("profile {name}"));
        let plain = config.get(name).filter(|_| name == DEFAULT);
        // The first that says something counts.
        let found: Vec<&ProfileKeys> = credentials
            .get(name)
            .into_iter()
            .chain(in_config)
            .chain(plain)
            .collect();
        if found.is_empty() && asked.is_some() {
            return Err(ObjectFault::NoProfile {
                profile: name.to_owned(),
            });
        }
        let setting = |key: &str| found.iter().find_map(|settings| settings.get(key)).cloned();
        let services = setting("services");
        let services = services.and_then(|services| config.get(&format!("services {services}")));
        let for_s3 = services.and_then(|services| services.get("s3.endpoint_url").cloned());
        let is_ignored = text("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .or_else(|| setting("ignore_configured_endpoint_urls"))
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        // Both halves of a key are from one place.
        let keys = found
            .iter()
            .find(|settings| settings.contains_key("aws_access_key_id"));
        let key = |name: &str| keys.and_then(|settings| settings.get(name)).cloned();
        Ok(Self {
            access_key_id: key("aws_access_key_id"),
            secret_access_key: key("aws_secret_access_key"),
            session_token: key("aws_session_token"),
            region: setting("region"),
            endpoint: for_s3
                .or_else(|| setting("endpoint_url"))
                .filter(|_| !is_ignored),
            unsupported: UNSUPPORTED.into_iter().find(|key| setting(key).is_some()),
            name: name.to_owned(),
        })
    }

    /// Checks that the credentials stand in the profile, or that it says nothing of any.
    ///
    /// # Errors
    /// [`ObjectFault::ProfileUnsupported`].
    pub(super) fn must_have_keys(&self) -> Result<(), ObjectFault> {
        match self.unsupported {
            Some(setting) if self.access_key_id.is_none() => Err(ObjectFault::ProfileUnsupported {
                profile: self.name.clone(),
                setting,
            }),
            _ => Ok(()),
        }
    }
}

/// Reads the sections of a file. One that is not there has none.
fn sections(path: Option<PathBuf>) -> Result<BTreeMap<String, ProfileKeys>, ObjectFault> {
    let Some(path) = path else {
        return Ok(BTreeMap::new());
    };
    let failed = |why: String| ObjectFault::ProfileFile {
        path: path.clone(),
        why,
    };
    let read = || {
        let mut text = String::new();
        File::open(&path)?
            .take(BYTES_MAX + 1)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    let text: String = match read() {
        Err(error) if io::Error::kind(&error) == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| failed(error.to_string()))?,
    };
    if text.len() as u64 > BYTES_MAX {
        return Err(failed(format!("it has more than {BYTES_MAX} bytes")));
    }
    parse(&text).map_err(|line| failed(format!("line {line} is neither [SECTION] nor KEY = VALUE")))
}

/// Reads the text of a file, or returns the number of the line that cannot be read. Sections of one name are one. A setting
/// below another one, which is indented, has the names of both with a point between them.
fn parse(text: &str) -> Result<BTreeMap<String, ProfileKeys>, usize> {
    let mut sections: BTreeMap<String, ProfileKeys> = BTreeMap::new();
    let (mut section, mut above): (Option<String>, Option<String>) = (None, None);
    for (line, number) in text.lines().zip(1..) {
        let is_indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[').filter(|_| !is_indented) {
            let (name, _) = rest.split_once(']').ok_or(number)?;
            // `[profile "a b"]` may have quotes and any spaces.
            let words: Vec<&str> = name
                .split(|c: char| c.is_whitespace() || c == '"' || c == '\'')
                .filter(|word| !word.is_empty())
                .collect();
            let name = words.join(" ");
            sections.entry(name.clone()).or_default();
            (section, above) = (Some(name), None);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            match &above {
                // The value above goes on, and it is none of those that are read.
                Some(_) if is_indented => continue,
                _ => return Err(number),
            }
        };
        let key = key.trim().to_ascii_lowercase();
        let value = without_remark(value.trim());
        let Some(settings) = section.as_ref().and_then(|name| sections.get_mut(name)) else {
            return Err(number);
        };
        match &above {
            Some(above) if is_indented => {
                settings.insert(format!("{above}.{key}"), value.to_owned());
            }
            _ => {
                if !value.is_empty() {
                    settings.insert(key.clone(), value.to_owned());
                }
                above = Some(key);
            }
        }
    }
    Ok(sections)
}

/// A remark behind a value begins after a space.
fn without_remark(value: &str) -> &str {
    let starts = [" #", " ;", "\t#", "\t;"];
    let end = starts.iter().filter_map(|start| value.find(start)).min();
    end.map_or(value, |end| value[..end].trim_end())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A home with both files, and an environment that knows it.
    struct Home(tempfile::TempDir);

    impl Home {
        fn new(credentials: &str, config: &str) -> Self {
            let home = tempfile::tempdir().unwrap();
            std::fs::create_dir(home.path().join(".aws")).unwrap();
            std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
            std::fs::write(home.path().join(".aws/config"), config).unwrap();
            Self(home)
        }

        fn read(&self, variables: &[(&str, &str)]) -> Result<AwsProfile, ObjectFault> {
            AwsProfile::read(&|name| {
                let given = variables.iter().find(|(key, _)| *key == name);
                let home = || (name == "HOME").then(|| self.0.path().into());
                given.map(|(_, value)| value.into()).or_else(home)
            })
        }
    }

    const CREDENTIALS: &str = "# comment\n[default]\naws_access_key_id = AKID\naws_secret_access_key=s/e=c+ret\n\n\
        [ team ]\r\nAWS_Access_Key_Id=TEAM\r\naws_secret_access_key = two # a remark\r\naws_session_token=t\r\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile \"team\"]\nregion=eu-central-1\nendpoint_url = http://one\n\
        services = house\ns3 =\n    addressing_style = path\n\n[services house]\ns3 =\n  endpoint_url = http://two:9000\nsqs =\n  \
        endpoint_url = http://three\n[profile asks]\nsso_session = x\n[sso-session x]\nsso_region = y\n[profile plain]\n\
        endpoint_url = http://four\n";

    #[test]
    fn profiles_are_read_from_both_files() {
        let home = Home::new(CREDENTIALS, CONFIG);
        let default = home.read(&[]).unwrap();
        assert_eq!(default.access_key_id.as_deref(), Some("AKID"));
        assert_eq!(default.secret_access_key.as_deref(), Some("s/e=c+ret"));
        assert_eq!(default.region.as_deref(), Some("eu-west-1"));
        assert_eq!((&default.session_token, &default.endpoint), (&None, &None));
        let named = [("AWS_PROFILE", "team")];
        let team = home.read(&named).unwrap();
        assert_eq!(team.secret_access_key.as_deref(), Some("two"));
        assert_eq!(team.session_token.as_deref(), Some("t"));
        assert_eq!(team.region.as_deref(), Some("eu-central-1"));
        assert_eq!(team.endpoint.as_deref(), Some("http://two:9000"));
        let plain = home.read(&[("AWS_DEFAULT_PROFILE", "plain")]).unwrap();
        assert_eq!(plain.endpoint.as_deref(), Some("http://four"));
        assert!(plain.must_have_keys().is_ok());
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(home.read(&[named[0], ignored]).unwrap().endpoint, None);
    }

    #[test]
    fn files_may_lie_elsewhere_and_be_missing() {
        let home = Home::new(CREDENTIALS, CONFIG);
        let (other, none) = (home.0.path().join("other"), home.0.path().join("none"));
        std::fs::write(&other, "[default]\naws_access_key_id=O\n").unwrap();
        let variables = [
            ("AWS_SHARED_CREDENTIALS_FILE", other.to_str().unwrap()),
            ("AWS_CONFIG_FILE", none.to_str().unwrap()),
        ];
        let read = home.read(&variables).unwrap();
        let expected = AwsProfile {
            access_key_id: Some("O".to_owned()),
            name: DEFAULT.to_owned(),
            ..AwsProfile::default()
        };
        assert_eq!(read, expected, "the halves of a key are of one place");
        assert_eq!(
            AwsProfile::read(&|_| None).unwrap(),
            AwsProfile {
                name: DEFAULT.to_owned(),
                ..AwsProfile::default()
            }
        );
    }

    #[test]
    fn what_is_not_there_or_not_supported_is_refused_by_name() {
        let home = Home::new(CREDENTIALS, CONFIG);
        let missing = home.read(&[("AWS_PROFILE", "taem")]);
        assert!(matches!(missing, Err(ObjectFault::NoProfile { profile }) if profile == "taem"));
        let asks = home.read(&[("AWS_PROFILE", "asks")]).unwrap();
        assert!(matches!(
            asks.must_have_keys(),
            Err(ObjectFault::ProfileUnsupported { setting, .. }) if setting == "sso_session"
        ));
        for (text, line) in [
            ("[default\n", 1),
            ("[default]\nnonsense\n", 2),
            ("region = x\n", 1),
        ] {
            assert_eq!(parse(text), Err(line), "{text}");
            let home = Home::new("", text);
            assert!(matches!(
                home.read(&[]),
                Err(ObjectFault::ProfileFile { .. })
            ));
        }
        std::fs::write(home.0.path().join(".aws/config"), [0xff, 0xfe]).unwrap();
        assert!(home.read(&[]).is_err());
    }
}
