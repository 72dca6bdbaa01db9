//! `stepwright.toml`: what the server needs to know, with the command line in front of it and defaults behind.
//!
//! ```toml
//! [server]
//! listen = "127.0.0.1:8083"
//! data_dir = "stepwright-data"
//! account_id = "123456789012"
//! region = "us-east-1"
//! hosts = ["flows.example"]    # further names of this server; see docs/security.md
//!
//! [functions.greet]            # see the README
//! runtime = "python3.12"
//! handler = "greet.handler"
//! code = "functions/greet"
//!
//! [lambda]                     # for all functions; see docs/functions.md
//! credentials = "none"         # or "server": they get the server's AWS credentials
//! print = true                 # show what they print
//!
//! [throttling]                 # see docs/throttling.md
//! profile = "aws"
//!
//! [[limits]]                   # see docs/limits.md
//! name = "payments"
//! task = "charge*"
//! concurrency = 5
//!
//! [retention]                  # see docs/retention.md
//! keep = "90d"
//!
//! [credentials]                # see docs/security.md for this and what follows
//! file = "credentials"
//!
//! [tls]
//! certificate = "server.pem"
//! private_key = "server-key.pem"
//!
//! [audit]
//! file = "audit.jsonl"
//!
//! [metrics]
//! open = false
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use stepwright_api::throttling;
use stepwright_engine::limits::{Limit, LimitDefinition};
use stepwright_engine::retention::{Retention, RetentionDefinition};
use stepwright_server::Hosts;
use stepwright_tasks::functions::FunctionDefinition;

use crate::cli::Listen;
use crate::data_directory::{Identity, Wanted};
use crate::function_output;
use crate::history_logging;
use crate::protection::{self, AuditSection, CredentialsSection, MetricsSection, TlsSection};

/// The configuration file that is read without being named.
pub const FILE: &str = "stepwright.toml";
const TEMPLATES: [&str; 2] = ["template.yaml", "template.yml"];

/// The file's own sections; `[functions]` is read by the room that runs them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: Server,
    #[serde(default)]
    logging: history_logging::Section,
    #[serde(default)]
    #[allow(dead_code, reason = "its content is read by the tasks room")]
    functions: toml::Table,
    #[serde(default)]
    lambda: function_output::Section,
    #[serde(default)]
    throttling: throttling::Settings,
    #[serde(default)]
    credentials: CredentialsSection,
    #[serde(default)]
    tls: TlsSection,
    #[serde(default)]
    audit: AuditSection,
    #[serde(default)]
    metrics: MetricsSection,
    #[serde(default)]
    limits: Vec<LimitDefinition>,
    #[serde(default)]
    retention: RetentionDefinition,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    listen: Option<Listen>,
    data_dir: Option<PathBuf>,
    account_id: Option<String>,
    region: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
}

/// Everything that is configured.
#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    /// As wanted, or else as the data directory has it.
    pub account_id: String,
    pub region: String,
    /// What of these was said.
    pub wanted: Wanted,
    /// The names under which the server may be called.
    pub hosts: Hosts,
    pub functions: Vec<FunctionDefinition>,
    /// What holds for all functions.
    pub lambda: function_output::Section,
    /// What is declared and cannot be used.
    pub warnings: Vec<String>,
    /// How many requests each operation of the API takes.
    pub throttling: throttling::Settings,
    /// Where the histories of executions are logged.
    pub logging: history_logging::Section,
    /// Who may call, over which wire, and what is written down about it.
    pub protection: protection::Settings,
    /// Limits over executions.
    pub limits: Vec<LimitDefinition>,
    /// How long executions are kept.
    pub retention: RetentionDefinition,
}

impl Config {
    /// The limits, ready for use.
    pub fn limits(&self) -> Result<Vec<Limit>> {
        Limit::compile_all(self.limits.clone()).context("[[limits]]")
    }

    /// How long executions are kept, ready for use.
    pub fn retention(&self) -> Result<Retention> {
        Retention::compile(self.retention.clone()).context("[retention]")
    }
}

/// What was said on the command line or in the environment.
#[derive(Debug, Default)]
pub struct Overrides {
    pub listen: Option<Listen>,
    pub data_dir: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub template: Option<PathBuf>,
    pub account_id: Option<String>,
    pub region: Option<String>,
    pub protection: protection::Flags,
}

/// Reads the configuration file and the template, if there are any, and puts the overrides in front.
pub fn load(overrides: Overrides) -> Result<Config> {
    let path = overrides.config.clone().or_else(|| existing(Path::new(FILE)));
    let (file, mut functions, directory) = match &path {
        Some(path) => read_file(path)?,
        None => (File::default(), Vec::new(), PathBuf::from(".")),
    };
    let data_dir = overrides
        .data_dir
        .or(file.server.data_dir.map(|data_dir| directory.join(data_dir)))
        .unwrap_or_else(|| PathBuf::from("stepwright-data"));
    let wanted = Wanted {
        account_id: overrides.account_id.or(file.server.account_id),
        region: overrides.region.or(file.server.region),
    };
    let Identity { account_id, region } = identity(&wanted, &data_dir)?;
    let template =
        overrides.template.or_else(|| TEMPLATES.iter().find_map(|name| existing(&directory.join(name))));
    let mut warnings = Vec::new();
    if let Some(template) = template {
        let found = read_template(&template, &account_id, &region, &mut warnings)?;
        // What the configuration file declares goes before what the template does.
        let declared: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
        functions.extend(found.into_iter().filter(|function| !declared.contains(&function.name)));
    }
    let protection = protection::Settings::new(
        overrides.protection,
        file.credentials,
        file.tls,
        file.audit,
        &file.metrics,
        &directory,
    )?;
    let hosts = Hosts::new(&file.server.hosts).map_err(anyhow::Error::msg).context("[server] hosts")?;
    Ok(Config {
        hosts,
        listen: overrides
            .listen
            .or(file.server.listen)
            .map(|listen| listen.0)
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8083))),
        data_dir,
        account_id,
        region,
        wanted,
        functions,
        lambda: file.lambda,
        warnings,
        throttling: file.throttling,
        logging: file.logging.below(&directory),
        protection,
        limits: file.limits,
        retention: file.retention,
    })
}

/// Where clients on this machine find a server that listens there.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
        _ => address,
    }
}

/// Account and region: as wanted, as the directory has them, as the environment says for other tools, or as examples have them.
fn identity(wanted: &Wanted, data_dir: &Path) -> Result<Identity> {
    let known = Identity::of(data_dir)?;
    let (known_account_id, known_region) = known.map(|known| (known.account_id, known.region)).unzip();
    let ambient = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|region| check_region(region).is_ok()));
    let account_id = wanted.account_id.clone().or(known_account_id);
    let account_id = account_id.unwrap_or_else(|| "123456789012".to_owned());
    let region = wanted.region.clone().or(known_region).or(ambient);
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    check_account_id(&account_id)?;
    check_region(&region)?;
    Ok(Identity { account_id, region })
}

fn read_file(path: &Path) -> Result<(File, Vec<FunctionDefinition>, PathBuf)> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    let file: File = toml::from_str(&text).with_context(|| format!("{name} cannot be used"))?;
    let directory = path.parent().unwrap_or(Path::new("")).to_owned();
    let functions = stepwright_tasks::functions::functions_from_config(&text, &directory)
        .with_context(|| format!("{name} cannot be used"))?;
    Ok((file, functions, directory))
}

fn read_template(
    path: &Path,
    account_id: &str,
    region: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<FunctionDefinition>> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let context = stepwright_tasks::functions::TemplateContext {
        account_id: account_id.to_owned(),
        region: region.to_owned(),
        stack_name: "stepwright".to_owned(),
    };
    let found = stepwright_tasks::functions::functions_from_template(&text, directory, &context)
        .with_context(|| format!("the functions of {name} cannot be used"))?;
    warnings.extend(found.unusable.iter().map(|unusable| format!("{name}: {unusable}")));
    Ok(found.functions)
}

fn existing(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| path.to_owned())
}

fn check_account_id(account_id: &str) -> Result<()> {
    if account_id.len() != 12 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("the account id {account_id:?} is not 12 digits");
    }
    Ok(())
}

fn check_region(region: &str) -> Result<()> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(is_name) {
        bail!("the region {region:?} is not a region's name, such as us-east-1");
    }
    Ok(())
}

/// Whether a text is a configuration, as far as its sections and keys go.
#[cfg(test)]
pub fn check(text: &str) -> Result<(), toml::de::Error> {
    toml::from_str::<File>(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_may_be_absent() {
        let sections = [
            "",
            "[server]\nregion = \"eu-central-1\"",
            "[functions.a]\nruntime = \"python3.12\"",
            "[throttling]\nprofile = \"aws\"",
            "[[limits]]\nname = \"a\"\ntask = \"*\"\nconcurrency = 1",
            "[retention]\nkeep = \"30d\"\n[[retention.rules]]\ntag = \"stage=test\"\nkeep = \"1d\"",
        ];
        for text in sections {
            let file: File = toml::from_str(text).expect(text);
            assert_eq!(file.limits.len(), text.matches("[[limits]]").count());
        }
    }
}
