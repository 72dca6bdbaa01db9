//! The data directory: for its owner alone, and with an account and a region that it keeps.
//!
//! ARNs hold account and region, so they cannot change under executions: they are written down in the directory when it is
//! made. What the command line or the configuration says must agree; what the environment says for other tools
//! (`AWS_DEFAULT_REGION`) counts only while a directory is made. Requests that are signed for another account or region are
//! served with ARNs of their own either way.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use stepwright_store::embedded::care;
use stepwright_store::{CatalogKind, Store};
use stepwright_types::arn::Arn;

const IDENTITY: &str = "stepwright.identity";
/// What the names of all files begin with that a server keeps in its directory.
const OWN_PREFIX: &str = "stepwright.";
/// What else a server keeps there.
const OWN_OTHERS: [&str; 2] = ["tls", "logs"];
const HEADER: &str =
    "# The account and region of this data directory, of which its ARNs are. Not to be changed.\n";

/// Account and region.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Identity {
    pub account_id: String,
    pub region: String,
}

/// What the command line or the configuration says about account and region.
#[derive(Clone, Default, Debug)]
pub struct Wanted {
    pub account_id: Option<String>,
    pub region: Option<String>,
}

impl Identity {
    /// What is written in a directory, if it has been made.
    pub fn of(directory: &Path) -> Result<Option<Identity>> {
        let path = directory.join(IDENTITY);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let identity = toml::from_str(&text);
                identity.map(Some).with_context(|| format!("{} cannot be used", path.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    fn agrees_with(&self, directory: &Path, wanted: &Wanted) -> Result<()> {
        let pairs = [
            ("account", "--account-id", &wanted.account_id, &self.account_id),
            ("region", "--region", &wanted.region, &self.region),
        ];
        for (what, flag, wanted, own) in pairs {
            if let Some(wanted) = wanted
                && wanted != own
            {
                bail!(
                    "the data directory {} belongs to {what} {own}, not {wanted}: its ARNs hold it. Leave out {flag} (or {what} in \
                     stepwright.toml), or name another directory with --data-dir. Requests that are signed for {wanted} are served \
                     here too, with ARNs of {wanted}",
                    directory.display()
                );
            }
        }
        Ok(())
    }

    fn write(&self, directory: &Path) -> Result<()> {
        let (path, fresh) = (directory.join(IDENTITY), directory.join(format!("{IDENTITY}.new")));
        let text = format!("{HEADER}{}", toml::to_string(self)?);
        let written = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(directory)?.sync_all()
        };
        written().with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// The identity of a directory whose store is open: as it is written there; as the first of its ARNs says in a directory of a
/// release that wrote none; else the one that is `proposed`.
pub async fn settle(
    directory: &Path,
    store: &dyn Store,
    wanted: &Wanted,
    proposed: Identity,
) -> Result<Identity> {
    if let Some(identity) = Identity::of(directory)? {
        identity.agrees_with(directory, wanted)?;
        return Ok(identity);
    }
    let machines = store.records(CatalogKind::StateMachine, "", None, 1).await?;
    let known = machines
        .first()
        .and_then(|record| Arn::parse(&record.key))
        .map(|arn| Identity { account_id: arn.account_id.to_owned(), region: arn.region.to_owned() });
    let identity = known.unwrap_or(proposed);
    identity.agrees_with(directory, wanted)?;
    identity.write(directory)?;
    Ok(identity)
}

/// Refuses a directory that has been served and has lost its store since: that is no new directory.
pub fn check_complete(directory: &Path) -> Result<()> {
    if Identity::of(directory)?.is_some() && !care::exists(directory)? {
        bail!(
            "the data directory {} has been served before, and its database is gone. Put a backup there (`stepwright store restore \
             BACKUP --data-dir {0}`), or delete {} to begin with nothing",
            directory.display(),
            directory.join(IDENTITY).display()
        );
    }
    Ok(())
}

/// Makes the directory, or takes the permissions away that others have in it.
pub fn prepare(directory: &Path) -> Result<()> {
    let failed = || format!("the data directory {} cannot be made", directory.display());
    match fs::metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(failed)
        }
        Err(error) => Err(error).with_context(failed),
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            if metadata.is_dir() && mode & 0o077 != 0 {
                close(directory, mode);
            }
            Ok(())
        }
    }
}

/// Takes the permissions away that others have on what a server keeps in its directory, for they hold inputs and outputs.
pub fn close_files(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let is_own = entry.file_name().to_str().is_some_and(|name| name.starts_with(OWN_PREFIX));
        // Of the entry itself: a link is not followed.
        let Some(metadata) = entry.metadata().ok().filter(|metadata| is_own && metadata.is_file()) else {
            continue;
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0
            && let Err(error) = fs::set_permissions(entry.path(), Permissions::from_mode(mode & 0o700))
        {
            tracing::warn!(%error, "others may read {} (mode {mode:04o})", entry.path().display());
        }
    }
}

/// Closes a directory to others if there is nothing in it but what a server keeps.
fn close(directory: &Path, mode: u32) {
    let is_own = |name: &str| name.starts_with(OWN_PREFIX) || OWN_OTHERS.contains(&name);
    let entries = fs::read_dir(directory);
    let all_own = entries
        .is_ok_and(|entries| entries.flatten().all(|entry| entry.file_name().to_str().is_some_and(is_own)));
    let shown = directory.display();
    if all_own && fs::set_permissions(directory, Permissions::from_mode(mode & 0o700)).is_ok() {
        tracing::info!("the data directory {shown} is now for its owner alone (mode was {mode:04o})");
    } else {
        tracing::warn!(
            "others may look into the data directory {shown} (mode {mode:04o}), which holds inputs and outputs: chmod 700 {shown}"
        );
    }
}

#[cfg(test)]
mod tests {
    use stepwright_store::memory::Memory;

    use super::*;

    fn identity(account_id: &str, region: &str) -> Identity {
        Identity { account_id: account_id.to_owned(), region: region.to_owned() }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
    }

    #[tokio::test]
    async fn a_directory_keeps_its_identity() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = directory.path();
        let store = Memory::new();
        let first = identity("111122223333", "eu-west-1");
        let nothing = Wanted::default();
        let made = settle(directory, &*store, &nothing, first.clone()).await.expect("made");
        assert_eq!((made, mode(&directory.join(IDENTITY))), (first.clone(), 0o600));
        // Whatever is proposed later.
        let proposed = identity("123456789012", "us-east-1");
        let later = settle(directory, &*store, &nothing, proposed.clone()).await.expect("known");
        assert_eq!(later, first);
        for (wanted, told) in [
            (
                Wanted { region: Some("us-east-1".into()), account_id: None },
                "belongs to region eu-west-1, not us-east-1",
            ),
            (
                Wanted { account_id: Some("123456789012".into()), region: Some("eu-west-1".into()) },
                "belongs to account 111122223333, not 123456789012",
            ),
        ] {
            let error = settle(directory, &*store, &wanted, proposed.clone()).await.expect_err("an error");
            assert!(error.to_string().contains(told), "{error}");
        }
        let error = check_complete(directory).expect_err("its store is in memory");
        assert!(error.to_string().contains("its database is gone"), "{error}");
        fs::write(directory.join(IDENTITY), "nonsense").expect("written");
        assert!(settle(directory, &*store, &nothing, proposed).await.is_err());
    }

    #[test]
    fn directories_are_for_their_owner() {
        let parent = tempfile::tempdir().expect("a directory");
        let fresh = parent.path().join("a/b");
        prepare(&fresh).expect("made");
        assert_eq!(mode(&fresh), 0o700);
        // One of an older release, and one that holds other things too.
        for (name, expected) in [("stepwright.db", 0o700), ("letters", 0o755)] {
            let directory = parent.path().join(name);
            fs::create_dir(&directory).expect("made");
            let files = [directory.join(name), directory.join("stepwright.log-0")];
            for file in &files {
                fs::write(file, "").expect("written");
                fs::set_permissions(file, Permissions::from_mode(0o644)).expect("set");
            }
            fs::set_permissions(&directory, Permissions::from_mode(0o755)).expect("set");
            prepare(&directory).expect("mended");
            close_files(&directory);
            assert_eq!(mode(&directory), expected, "{name}");
            assert_eq!(mode(&files[1]), 0o600);
            assert_eq!(mode(&files[0]), if name == "letters" { 0o644 } else { 0o600 });
        }
    }
}
