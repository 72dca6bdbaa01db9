//! Where the histories of executions are logged: the section `[logging]` of `stepwright.toml`.
//!
//! ```toml
//! [logging]
//! destination = "file"                # or "stdout", "cloudwatch", "off"
//! file = "logs/executions.jsonl"      # default: in the data directory
//! max_file_mb = 64                    # then another file is begun
//! max_files = 4                       # the one that is written included
//! endpoint = "http://127.0.0.1:4566"  # of CloudWatch Logs
//! functions = true                    # there also what functions print
//! ```
//!
//! Without the section: CloudWatch Logs where the environment names an endpoint, else the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use stepwright_logs::{CloudWatch, Destination, Log, RotatingFile};
use stepwright_tasks::aws_json;

const FILE: &str = "logs/executions.jsonl";
const FILE_MB: u64 = 64;
const FILES: u32 = 4;
const ENDPOINT_VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_LOGS", "AWS_ENDPOINT_URL"];

/// The section, as it stands in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    destination: Option<Kind>,
    file: Option<PathBuf>,
    max_file_mb: Option<u64>,
    max_files: Option<u32>,
    endpoint: Option<String>,
    functions: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    File,
    Stdout,
    CloudWatch,
    Off,
}

impl Section {
    /// Puts relative paths below the directory of the configuration file.
    pub fn below(mut self, directory: &Path) -> Section {
        self.file = self.file.map(|file| directory.join(file));
        self
    }

    /// Opens the log; `None` when nothing shall be logged. Needs a runtime. `variable` looks one of the environment up;
    /// `listen` is where this server itself is, which is no CloudWatch Logs.
    pub fn open(
        &self,
        data_dir: &Path,
        listen: SocketAddr,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Arc<Log>>> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let endpoint = self.endpoint.clone().or_else(|| ENDPOINT_VARIABLES.into_iter().find_map(variable));
        let endpoint = endpoint.filter(|url| !is_here(url, listen));
        let kind = self.destination.unwrap_or(match endpoint {
            Some(_) => Kind::CloudWatch,
            None => Kind::File,
        });
        let destination = match (kind, endpoint) {
            (Kind::Off, _) => return Ok(None),
            (Kind::Stdout, _) => Destination::Stdout,
            (Kind::File, _) => self.file(data_dir)?,
            (Kind::CloudWatch, None) => {
                bail!("[logging] destination = \"cloudwatch\" needs an endpoint, or AWS_ENDPOINT_URL_LOGS")
            }
            (Kind::CloudWatch, Some(url)) => {
                let roots = variable("AWS_CA_BUNDLE").map(PathBuf::from);
                let cloudwatch = CloudWatch::new(&url, aws_json::credentials(variable), roots.as_deref())
                    .context("the endpoint of CloudWatch Logs cannot be used")?;
                Destination::CloudWatch(Box::new(cloudwatch))
            }
        };
        Ok(Some(Arc::new(Log::new(destination, tokio::runtime::Handle::current()))))
    }

    /// The log that takes what functions print, if it is to.
    pub fn of_functions(&self, log: Option<&Arc<Log>>) -> Result<Option<Arc<Log>>> {
        match log.filter(|_| self.functions) {
            Some(log) if log.takes_functions() => Ok(Some(log.clone())),
            None if !self.functions => Ok(None),
            _ => bail!("[logging] functions = true needs destination = \"cloudwatch\""),
        }
    }

    fn file(&self, data_dir: &Path) -> Result<Destination> {
        let path = self.file.clone().unwrap_or_else(|| data_dir.join(FILE));
        let bytes_max = self.max_file_mb.unwrap_or(FILE_MB).max(1) << 20;
        let others = self.max_files.unwrap_or(FILES).max(1) - 1;
        let file = RotatingFile::open(&path, bytes_max, others)
            .with_context(|| format!("the log {} cannot be opened", path.display()))?;
        Ok(Destination::File(Box::new(Mutex::new(file))))
    }
}

/// Whether the URL leads to this server: the environment that clients use is often that of the server, too.
fn is_here(url: &str, listen: SocketAddr) -> bool {
    let Some((_, rest)) = url.trim().split_once("://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    let is_local = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_local && port.parse() == Ok(listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_server_is_no_destination() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8083));
        for (url, expected) in [
            ("http://127.0.0.1:8083", true),
            ("http://localhost:8083/", true),
            ("http://[::1]:8083", true),
            ("http://127.0.0.1:4566", false),
            ("http://example.com:8083", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_here(url, listen), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn the_environment_chooses_where_the_file_does_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let listen = SocketAddr::from(([127, 0, 0, 1], 8083));
        let open = |section: &str, url: Option<&str>| {
            let section: Section = toml::from_str(section).expect("a section");
            let variable =
                |name: &str| (name == "AWS_ENDPOINT_URL").then(|| url.map(str::to_owned)).flatten();
            section.open(directory.path(), listen, variable).map(|log| log.is_some())
        };
        assert!(open("", Some("http://127.0.0.1:1")).expect("opens"));
        assert!(!directory.path().join(FILE).exists());
        assert!(open("", Some("http://127.0.0.1:8083")).expect("opens"));
        assert!(directory.path().join(FILE).exists());
        assert!(!open("destination = 'off'", None).expect("opens"));
        assert!(open("destination = 'cloudwatch'", None).is_err());
        assert!(open("destination = 'cloudwatch'\nendpoint = 'ftp://example.com'", None).is_err());
        assert!(open("destination = 'stdout'", None).expect("opens"));
    }
}
