//! Answers a registry's challenge with a name and password, or with a token that is requested with them.

use serde::Deserialize;
use ureq::Body;
use ureq::http::{Method, Response};

use super::{Call, Client, RequestFailed, header};
use crate::oci::registry::RegistryError;
use crate::oci::registry::challenge::Challenge;
use crate::oci::registry::credentials::Credentials;

/// Most bytes of the answer of a token server.
const TOKEN_BYTES_MAX: u64 = 256 << 10;

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

impl Client {
    /// Returns the cached authorization for this scope.
    pub(super) fn token(&self, scope: &str) -> Option<String> {
        self.tokens().get(scope).cloned()
    }

    /// Gets the authorization that the challenge in `response` asks for, unless it was `used` already.
    pub(super) fn authorize(
        &self,
        call: &Call<'_>,
        response: &Response<Body>,
        used: Option<&str>,
    ) -> Result<(), RequestFailed> {
        let headers = response.headers().get_all("www-authenticate");
        let texts = headers.iter().filter_map(|value| value.to_str().ok());
        let mut challenges: Vec<Challenge> = texts.filter_map(Challenge::parse).collect();
        challenges.sort_by_key(|challenge| *challenge == Challenge::Basic);
        let value = match challenges.first() {
            None => None,
            Some(Challenge::Basic) => self.credentials.as_ref().and_then(Credentials::basic),
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let mut scopes: Vec<&str> = call.scope.split(' ').collect();
                if let Some(scope) = scope {
                    scopes.extend(scope.split(' '));
                }
                scopes.retain(|scope| !scope.is_empty());
                scopes.sort_unstable();
                scopes.dedup();
                Some(self.fetch_token(realm, service.as_deref(), &scopes)?)
            }
        };
        match value {
            Some(value) if Some(&value[..]) != used => {
                self.tokens().insert(call.scope.to_owned(), value);
                Ok(())
            }
            _ => Err(RequestFailed::Final(RegistryError::Denied {
                host: self.host.clone(),
                what: call.what.to_owned(),
                message: match self.credentials {
                    Some(_) => "the name or the password is wrong".to_owned(),
                    None => "it wants a name and a password".to_owned(),
                },
            })),
        }
    }

    fn fetch_token(
        &self,
        realm: &str,
        service: Option<&str>,
        scopes: &[&str],
    ) -> Result<String, RequestFailed> {
        let what = format!("a token from {}", super::shown(realm));
        let target = self.resolve(&self.origin, realm, &what)?;
        let is_plain = target.scheme_str() != Some("https");
        if is_plain && self.origin.scheme_str() == Some("https") {
            let why = "credentials would go over plain HTTP";
            return Err(RegistryError::corrupt(what, why).into());
        }
        let mut query = Vec::new();
        query.extend(service.map(|service| format!("service={}", escaped(service))));
        query.extend(
            scopes
                .iter()
                .map(|scope| format!("scope={}", escaped(scope))),
        );
        let mut form = String::new();
        let mut request = ureq::http::Request::builder();
        if let Some(Credentials::IdentityToken(token)) = &self.credentials {
            query.push("grant_type=refresh_token".to_owned());
            query.push("client_id=carryall".to_owned());
            query.push(format!("refresh_token={}", escaped(token)));
            form = query.join("&");
            request = request
                .method(Method::POST)
                .uri(target)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("content-length", form.len());
        } else {
            let joint = if target.query().is_some() { "&" } else { "?" };
            request = request
                .method(Method::GET)
                .uri(format!("{target}{joint}{}", query.join("&")));
            if let Some(basic) = self.credentials.as_ref().and_then(Credentials::basic) {
                request = request.header("authorization", basic);
            }
        }
        let call = Call {
            method: Method::GET,
            target: realm,
            scope: "",
            headers: &[],
            what: &what,
        };
        let response = if form.is_empty() {
            self.run(request, (), &call)?
        } else {
            self.run(request, form.as_bytes(), &call)?
        };
        if super::is_later(response.status()) {
            return Err(RequestFailed::Line(ureq::Error::StatusCode(
                response.status().as_u16(),
            )));
        }
        let mut response = self.expect(response, &what, &[200])?;
        let is_json = header(&response, "content-type").is_none_or(|kind| kind.contains("json"));
        let limited = response.body_mut().with_config().limit(TOKEN_BYTES_MAX);
        let bytes = limited.read_to_vec().map_err(RequestFailed::Line)?;
        let answer = serde_json::from_slice::<TokenAnswer>(&bytes)
            .ok()
            .filter(|_| is_json);
        let token = answer.and_then(|answer| answer.token.or(answer.access_token));
        let is_fit =
            |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let token = token.filter(is_fit);
        let token = token.ok_or_else(|| RegistryError::corrupt(what, "no token in the answer"))?;
        Ok(format!("Bearer {token}"))
    }
}

/// Writes everything but letters, digits and `-._~` as `%XX`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
