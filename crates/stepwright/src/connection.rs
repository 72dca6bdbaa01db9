//! Which server a command speaks to, and who calls: from the options, the environment, or the configuration file of the server
//! beside it.

use std::path::{Path, PathBuf};

use clap::Args;
use stepwright_sigv4::Credentials;

use crate::client::Client;
use crate::config::{self, Overrides};
use crate::exit::{Exit, Failure, OrExit as _};

/// The options of every command that speaks to a server.
#[derive(Debug, Args)]
pub struct Connection {
    /// Where the server is. Otherwise: AWS_ENDPOINT_URL_SFN, what the server's configuration file here says, AWS_ENDPOINT_URL,
    /// http://127.0.0.1:8083.
    #[arg(long, global = true, value_name = "URL", env = "STEPWRIGHT_ENDPOINT", help_heading = "Server")]
    pub endpoint: Option<String>,
    /// The server's region. Otherwise: what its configuration file here says, AWS_REGION, AWS_DEFAULT_REGION, us-east-1.
    #[arg(long, global = true, value_name = "REGION", help_heading = "Server")]
    pub region: Option<String>,
    /// The server's configuration file; `stepwright.toml` in this directory is read without being named. Requests are signed
    /// with the first key of its credentials file, or with that of STEPWRIGHT_ACCESS_KEY_ID and STEPWRIGHT_SECRET_ACCESS_KEY,
    /// or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(
        long = "config",
        global = true,
        value_name = "FILE",
        env = "STEPWRIGHT_CONFIG",
        help_heading = "Server"
    )]
    pub server_config: Option<PathBuf>,
    /// The server's answer as JSON; what comes piece by piece, one object a line.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Connection {
    /// Makes the client; nothing is sent yet.
    pub fn client(&self) -> Result<Client, Failure> {
        let overrides = Overrides { config: self.server_config.clone(), ..Overrides::default() };
        let has_file = self.server_config.is_some() || Path::new(config::FILE).is_file();
        let config = config::load(overrides).or_exit(Exit::Usage)?;
        let certificate = config.protection.certificate(&config.data_dir);
        let of_file = has_file.then(|| {
            let scheme = if certificate.is_some() { "https" } else { "http" };
            format!("{scheme}://{}", config::reachable(config.listen))
        });
        let endpoint = self
            .endpoint
            .clone()
            .or_else(|| variable("AWS_ENDPOINT_URL_SFN"))
            .or(of_file)
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .unwrap_or_else(|| "http://127.0.0.1:8083".to_owned());
        let region = self.region.clone().unwrap_or(config.region);
        let key_file = config.protection.credentials_file();
        let credentials = match key("STEPWRIGHT") {
            Some(credentials) => Some(credentials),
            None => match key_file {
                Some(path) => Some(first_key(path).or_exit(Exit::Usage)?),
                None => key("AWS"),
            },
        };
        let roots = variable("AWS_CA_BUNDLE").map(PathBuf::from).or(certificate);
        Client::new(endpoint, region, credentials, roots)
    }
}

fn key(prefix: &str) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: variable(&format!("{prefix}_ACCESS_KEY_ID"))?,
        secret_access_key: variable(&format!("{prefix}_SECRET_ACCESS_KEY"))?,
        session_token: variable(&format!("{prefix}_SESSION_TOKEN")),
    })
}

/// The first key of a credentials file.
fn first_key(path: &Path) -> anyhow::Result<Credentials> {
    let name = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("the credentials {name}: {error}"))?;
    key_in(&text).ok_or_else(|| anyhow::anyhow!("{name} has no aws_access_key_id with aws_secret_access_key"))
}

fn key_in(text: &str) -> Option<Credentials> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with('['));
    let head = lines.next()?;
    let section: Vec<&str> = lines.take_while(|line| !line.starts_with('[')).collect();
    debug_assert!(head.starts_with('['));
    let value = |wanted: &str| {
        let pairs = section.iter().filter_map(|line| line.split_once('='));
        pairs.into_iter().find(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim().to_owned())
    };
    Some(Credentials {
        access_key_id: value("aws_access_key_id")?,
        secret_access_key: value("aws_secret_access_key")?,
        session_token: value("aws_session_token"),
    })
}

/// A variable of the environment; an empty one is none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_of_a_file() {
        let text = "# keys\n[alice]\naws_access_key_id = A\naws_secret_access_key=S\n\n[bob]\naws_access_key_id = B\n";
        let key = key_in(text).expect("a key");
        assert_eq!((&*key.access_key_id, &*key.secret_access_key, key.session_token), ("A", "S", None));
        assert!(key_in("[a]\naws_access_key_id = A\n[b]\naws_secret_access_key = S").is_none());
        assert!(key_in("").is_none());
    }
}
