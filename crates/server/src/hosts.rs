//! The names under which the server may be called, and which pages may call it.
//!
//! A page in a browser reaches what its user reaches. Two things keep the pages of others away: the page's origin, which
//! browsers send with whatever changes something, and the host name that was called, by which a page gives itself away whose
//! own name has been bound to this machine (DNS rebinding) and which therefore counts as of one origin with the server.

use std::net::IpAddr;

use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Version};

use crate::error::{ProtocolError, ServerError};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// What SDKs put in front of the host for operations that answer when an execution has ended.
const SYNC_PREFIX: &str = "sync-";
/// Under which containers know the machine they run on. No public name ends in `.internal`.
const MACHINE_OF_CONTAINERS: [&str; 3] =
    ["host.docker.internal", "gateway.docker.internal", "host.containers.internal"];

/// Names of this server besides those that nobody else can have: addresses, `localhost`, AWS's own.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// With these names, which have no port.
    pub fn new(names: &[String]) -> Result<Hosts, String> {
        let names = names.iter().map(|name| {
            let authority: Option<Authority> = name.parse().ok();
            let is_name = authority.is_some_and(|authority| authority.as_str() == authority.host());
            if is_name { Ok(name.to_ascii_lowercase()) } else { Err(format!("{name:?} is not a host name")) }
        });
        Ok(Hosts { names: names.collect::<Result<_, _>>()? })
    }

    /// Refuses requests that are no proper HTTP, and those of pages of another origin. Else whether it was called by a name of
    /// this server: only then is the caller no page whose name was bound to it.
    pub fn check(&self, head: &Parts) -> Result<bool, ServerError> {
        check_framing(head)?;
        let host = called(head)?;
        check_page(head, host.as_ref())?;
        // Who names no host is no browser.
        Ok(host.is_none_or(|host| self.is_known(host.host())))
    }

    fn is_known(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        self.is_own(host) || host.strip_prefix(SYNC_PREFIX).is_some_and(|host| self.is_own(host))
    }

    fn is_own(&self, host: &str) -> bool {
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        host == "localhost"
            || host.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
            || MACHINE_OF_CONTAINERS.contains(&host)
            || is_of_aws(host)
            || self.names.iter().any(|name| name == host)
    }
}

/// The refusal of a request to a name that is not this server's.
pub(crate) fn unknown_host() -> ServerError {
    ServerError::new(
        ProtocolError::AccessDenied,
        "The request's Host is not a name of this server. If it should be one, add it to `hosts` under [server] in stepwright.toml.",
    )
}

/// Where AWS has the service: nobody else can have these names.
fn is_of_aws(host: &str) -> bool {
    let Some((service, rest)) = host.split_once('.') else { return false };
    let region = ["amazonaws.com", "amazonaws.com.cn", "api.aws"]
        .into_iter()
        .find_map(|domain| rest.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.')));
    matches!(service, "states" | "states-fips") && region.is_some_and(|region| !region.contains('.'))
}

/// Two ways to say where a body ends are how one request is hidden in another.
fn check_framing(head: &Parts) -> Result<(), ServerError> {
    if head.headers.contains_key(TRANSFER_ENCODING) && head.headers.contains_key(CONTENT_LENGTH) {
        return Err(malformed("A request has either Content-Length or Transfer-Encoding."));
    }
    Ok(())
}

/// The host that was called.
fn called(head: &Parts) -> Result<Option<Authority>, ServerError> {
    let mut named = head.headers.get_all(HOST).iter();
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host,
        (None, _) if head.version < Version::HTTP_11 && head.uri.authority().is_none() => return Ok(None),
        _ => return Err(malformed("A request has one Host header.")),
    };
    let host = Authority::try_from(host.as_bytes())
        .ok()
        .filter(|host| !host.as_str().contains('@'))
        .ok_or_else(|| malformed("The Host header is not a host."))?;
    match head.uri.authority() {
        Some(target) if *target != host => Err(malformed("The request's target and its Host header differ.")),
        _ => Ok(Some(host)),
    }
}

/// Browsers say where a page comes from; other clients say nothing.
fn check_page(head: &Parts, host: Option<&Authority>) -> Result<(), ServerError> {
    let is_host = |origin: &HeaderValue| {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let authority = authority.and_then(|(_, authority)| authority.parse::<Authority>().ok());
        authority.is_some_and(|authority| host == Some(&authority))
    };
    let text = |name| head.headers.get(name).map(HeaderValue::as_bytes);
    // Whoever follows a link only sees where it leads to.
    let follows_link =
        text(SEC_FETCH_MODE) == Some(b"navigate") && [Method::GET, Method::HEAD].contains(&head.method);
    let site = text(SEC_FETCH_SITE);
    let is_own_site = site.is_none_or(|site| site == b"same-origin" || site == b"none") || follows_link;
    if head.headers.get_all(ORIGIN).iter().all(is_host) && is_own_site {
        return Ok(());
    }
    Err(ServerError::new(ProtocolError::AccessDenied, "Web pages of other origins are not allowed to call."))
}

fn malformed(message: &str) -> ServerError {
    ServerError::new(ProtocolError::MalformedHttpRequest, message)
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn check(target: &str, headers: &[(&str, &str)]) -> Result<bool, &'static str> {
        let hosts = Hosts::new(&["Flows.Example".to_owned()]).unwrap();
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        hosts.check(&head).map_err(|error| error.kind.name())
    }

    #[test]
    fn host_names() {
        for (host, known) in [
            ("localhost", true),
            ("LocalHost.:8083", true),
            ("a.localhost:1", true),
            ("127.0.0.1:8083", true),
            ("[::1]:8083", true),
            ("192.168.0.7", true),
            ("sync-localhost:8083", true),
            ("sync-127.0.0.1:8083", true),
            ("host.docker.internal:8083", true),
            ("states.eu-west-1.amazonaws.com", true),
            ("sync-states.cn-north-1.amazonaws.com.cn", true),
            ("flows.example:80", true),
            ("sync-flows.example", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("evillocalhost", false),
            ("127.0.0.1.evil.example", false),
            ("2130706433", false),
            ("states.evil.example", false),
            ("states.x.y.amazonaws.com", false),
            ("bucket.s3.amazonaws.com", false),
            ("states.amazonaws.com.evil.example", false),
            ("sync-sync-localhost", false),
            ("a.flows.example", false),
        ] {
            assert_eq!(check("/", &[("host", host)]), Ok(known), "{host}");
        }
        for name in ["", "a:80", "http://a", "a/b", "a@b"] {
            assert!(Hosts::new(&[name.to_owned()]).is_err(), "{name}");
        }
    }

    #[test]
    fn requests_that_are_no_proper_http() {
        let host = ("host", "localhost");
        for (target, headers) in [
            ("/", &[][..]),
            ("/", &[host, host]),
            ("/", &[("host", "")]),
            ("/", &[("host", "a b")]),
            ("/", &[("host", "evil.example@localhost")]),
            ("http://evil.example/", &[host]),
            ("/", &[host, ("content-length", "3"), ("transfer-encoding", "chunked")]),
        ] {
            assert_eq!(check(target, headers), Err("MalformedHttpRequestException"), "{target} {headers:?}");
        }
        assert_eq!(check("http://localhost/", &[host]), Ok(true));
    }

    #[test]
    fn pages() {
        let host = ("host", "localhost:8083");
        let cross = ("sec-fetch-site", "cross-site");
        for (headers, allowed) in [
            (&[("origin", "http://localhost:8083")][..], true),
            (&[("origin", "https://LOCALHOST:8083")], true),
            (&[("origin", "http://localhost:3000")], false),
            (&[("origin", "http://127.0.0.1:8083")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("origin", "http://localhost:8083"), ("origin", "http://evil.example")], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[cross], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[cross, ("sec-fetch-mode", "no-cors")], false),
            (&[cross, ("sec-fetch-mode", "navigate")], true),
        ] {
            let all: Vec<_> = [host].iter().chain(headers).copied().collect();
            let expected = if allowed { Ok(true) } else { Err("AccessDeniedException") };
            assert_eq!(check("/", &all), expected, "{headers:?}");
        }
    }
}
