//! Which program runs a function: the one that the declaration names, else the version that its runtime names if the machine
//! has it, else the one that there is, with a warning.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::definition::{FunctionDefinition, Runtime, RuntimeFamily};

/// Variables of the server that say where version managers keep their versions.
const VARIABLES: [&str; 11] = [
    "PATH",
    "HOME",
    "XDG_DATA_HOME",
    "PYENV_ROOT",
    "UV_PYTHON_INSTALL_DIR",
    "NVM_DIR",
    "FNM_DIR",
    "VOLTA_HOME",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "N_PREFIX",
];
/// How long a program may take to say which version it is.
const VERSION_WAIT: Duration = Duration::from_secs(5);
const VERSION_BYTES_MAX: usize = 256;
/// Version managers put programs there that start others, or refuse to.
const SHIMS: &str = "shims";

/// Looks for interpreters on this machine.
#[derive(Clone, Debug, Default)]
pub struct Interpreters {
    variables: BTreeMap<String, String>,
    /// What programs said when they were asked for their version.
    versions: BTreeMap<PathBuf, Option<String>>,
}

/// What runs a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The program.
    pub program: PathBuf,
    /// What is not as it was declared.
    pub warning: Option<String>,
}

impl Interpreters {
    /// Takes of the variables those that it needs. Empty ones count as not there.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Interpreters {
        let wanted =
            variables.into_iter().filter(|(name, value)| VARIABLES.contains(name) && !value.is_empty());
        let variables = wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Interpreters { variables, versions: BTreeMap::new() }
    }

    /// What runs a function of Python or Node.js; `None` for those that bring their own program.
    pub fn find(&mut self, definition: &FunctionDefinition) -> Option<Interpreter> {
        let runtime = &definition.runtime;
        let default = match runtime.family {
            RuntimeFamily::Python => "python3",
            RuntimeFamily::Node => "node",
            RuntimeFamily::Provided => return None,
        };
        if let Some(interpreter) = &definition.interpreter {
            return Some(self.named(&definition.name, interpreter));
        }
        let names = names(runtime);
        if let Some(program) = names.iter().find_map(|name| self.on_path(name, false)) {
            return Some(Interpreter { program, warning: None });
        }
        let there_is = self.on_path(default, true);
        let version = there_is.as_ref().and_then(|program| self.version(program));
        if let (Some(program), Some(version)) = (&there_is, &version)
            && is_version(version, &runtime.version)
        {
            return Some(Interpreter { program: program.clone(), warning: None });
        }
        if let Some(program) = self.managed(runtime, &names) {
            return Some(Interpreter { program, warning: None });
        }
        let (function, wanted) = (&definition.name, &runtime.name);
        let warning = match (&there_is, version) {
            (Some(program), Some(version)) => format!(
                "function {function}: {wanted} is not on this machine; {default} {version} ({}) runs it instead \
                 (`interpreter = …` names another)",
                program.display()
            ),
            (Some(program), None) => format!(
                "function {function}: {wanted} is not on this machine, and {} does not say which version it is",
                program.display()
            ),
            (None, _) => format!(
                "function {function}: neither {wanted} nor any {default} is on this machine; its invocations will fail"
            ),
        };
        let program = there_is.unwrap_or_else(|| PathBuf::from(default));
        Some(Interpreter { program, warning: Some(warning) })
    }

    /// The program that a declaration names: a path, or a name on the search path.
    fn named(&self, function: &str, interpreter: &Path) -> Interpreter {
        let is_bare = interpreter.components().count() == 1;
        let found = match interpreter.to_str().filter(|_| is_bare) {
            Some(name) => self.on_path(name, true),
            None => interpreter.is_file().then(|| interpreter.to_owned()),
        };
        let warning = found.is_none().then(|| {
            format!(
                "function {function}: its interpreter {} is not there; its invocations will fail",
                interpreter.display()
            )
        });
        Interpreter { program: found.unwrap_or_else(|| interpreter.to_owned()), warning }
    }

    fn on_path(&self, name: &str, shims_too: bool) -> Option<PathBuf> {
        let search = self.variables.get("PATH").map(String::as_str).unwrap_or_default();
        std::env::split_paths(search)
            .filter(|directory| shims_too || directory.file_name().is_none_or(|last| last != SHIMS))
            .map(|directory| directory.join(name))
            .find(|candidate| is_program(candidate))
    }

    /// A version that a version manager, or a package manager beside the search path, has installed; the newest of them.
    fn managed(&self, runtime: &Runtime, names: &[String]) -> Option<PathBuf> {
        if runtime.version.is_empty() {
            return None;
        }
        let mut found: Vec<(Vec<u64>, PathBuf)> = Vec::new();
        for (directory, below) in self.version_directories(runtime.family) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let version = version_in(&name);
                let program = below.iter().map(|below| entry.path().join(below)).find(|it| is_program(it));
                if is_version(version, &runtime.version)
                    && let Some(program) = program
                {
                    found.push((numbers(version), program));
                }
            }
        }
        if let Some((_, program)) = found.into_iter().max() {
            return Some(program);
        }
        let formula = match runtime.family {
            RuntimeFamily::Python => format!("python@{}", runtime.version),
            _ => format!("node@{}", runtime.version),
        };
        let brews = ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"];
        let brewed = brews.iter().map(|brew| Path::new(brew).join(&formula).join("bin"));
        let plain = ["/usr/local/bin", "/usr/bin"].iter().map(PathBuf::from);
        let of_brew = ["node".to_owned()];
        brewed
            .flat_map(|bin| names.iter().chain(&of_brew).map(move |name| bin.join(name)))
            .chain(plain.flat_map(|bin| names.iter().map(move |name| bin.join(name))))
            .find(|candidate| is_program(candidate))
    }

    /// Directories that have one directory for each version, and where the program is in that.
    fn version_directories(&self, family: RuntimeFamily) -> Vec<(PathBuf, &'static [&'static str])> {
        let at = |variable: &str, otherwise: &str, below: &str| -> Option<PathBuf> {
            let root = self.variables.get(variable).map(PathBuf::from);
            Some(root.or_else(|| Some(self.home()?.join(otherwise)))?.join(below))
        };
        let data = |name: &str| -> Option<PathBuf> {
            let root = self.variables.get("XDG_DATA_HOME").map(PathBuf::from);
            Some(root.or_else(|| Some(self.home()?.join(".local/share")))?.join(name))
        };
        let given = |variable: &str| self.variables.get(variable).map(PathBuf::from);
        let found: Vec<(Option<PathBuf>, &'static [&'static str])> = match family {
            RuntimeFamily::Python => vec![
                (at("PYENV_ROOT", ".pyenv", "versions"), &["bin/python3"]),
                (given("UV_PYTHON_INSTALL_DIR").or_else(|| data("uv/python")), &["bin/python3"]),
                (at("ASDF_DATA_DIR", ".asdf", "installs/python"), &["bin/python3"]),
                (
                    given("MISE_DATA_DIR").or_else(|| data("mise")).map(|it| it.join("installs/python")),
                    &["bin/python3"],
                ),
            ],
            RuntimeFamily::Node => vec![
                (at("NVM_DIR", ".nvm", "versions/node"), &["bin/node"]),
                (
                    given("FNM_DIR").or_else(|| data("fnm")).map(|it| it.join("node-versions")),
                    &["installation/bin/node"],
                ),
                (self.home().map(|home| home.join(".fnm/node-versions")), &["installation/bin/node"]),
                (at("VOLTA_HOME", ".volta", "tools/image/node"), &["bin/node"]),
                (at("ASDF_DATA_DIR", ".asdf", "installs/nodejs"), &["bin/node"]),
                (
                    given("MISE_DATA_DIR").or_else(|| data("mise")).map(|it| it.join("installs/node")),
                    &["bin/node"],
                ),
                (
                    Some(given("N_PREFIX").unwrap_or_else(|| "/usr/local".into()).join("n/versions/node")),
                    &["bin/node"],
                ),
            ],
            RuntimeFamily::Provided => Vec::new(),
        };
        found.into_iter().filter_map(|(directory, below)| Some((directory?, below))).collect()
    }

    fn home(&self) -> Option<PathBuf> {
        self.variables.get("HOME").map(PathBuf::from)
    }

    /// What `PROGRAM --version` says, without the program's name. Asked once.
    fn version(&mut self, program: &Path) -> Option<String> {
        if let Some(known) = self.versions.get(program) {
            return known.clone();
        }
        let version = asked(program);
        self.versions.insert(program.to_owned(), version.clone());
        version
    }
}

/// Names of the program of one version.
fn names(runtime: &Runtime) -> Vec<String> {
    let version = &runtime.version;
    match runtime.family {
        _ if version.is_empty() => Vec::new(),
        RuntimeFamily::Python => vec![format!("python{version}")],
        RuntimeFamily::Node => {
            ["node", "node-", "nodejs", "nodejs-"].map(|name| format!("{name}{version}")).to_vec()
        }
        RuntimeFamily::Provided => Vec::new(),
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// Whether `3.12.1` is a `3.12`. Every version is one of no version.
fn is_version(found: &str, wanted: &str) -> bool {
    match found.strip_prefix(wanted) {
        Some(rest) => wanted.is_empty() || rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}

/// The version in a directory's name: `v22.1.0`, `3.12.1`, `cpython-3.12.4-linux-x86_64-gnu`.
fn version_in(name: &str) -> &str {
    let name = name.strip_prefix("cpython-").unwrap_or(name);
    let name = name.strip_prefix('v').unwrap_or(name);
    let end = name.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(name.len());
    // What has more to its name (`3.13.0t`, `3.14.0-dev`) is another build of it; with a dash it may be the platform.
    match name.get(end..) {
        Some(rest) if rest.is_empty() || rest.starts_with("-linux") || rest.starts_with("-macos") => {
            name.get(..end).unwrap_or_default()
        }
        _ => "",
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

fn asked(program: &Path) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let said = child.stdout.take().and_then(said);
    let _ = child.kill(); // one that has said all of it may still run
    let _ = child.wait();
    // `Python 3.11.7`, `v20.20.2`
    let said = said?;
    let word = said.split_whitespace().last()?;
    let version = word.strip_prefix('v').unwrap_or(word);
    version.starts_with(|it: char| it.is_ascii_digit()).then(|| version.to_owned())
}

/// All that comes out of a pipe, if it comes in time.
fn said(mut pipe: ChildStdout) -> Option<String> {
    let deadline = Instant::now() + VERSION_WAIT;
    let mut bytes = Vec::new();
    let mut buffer = [0; VERSION_BYTES_MAX];
    loop {
        let left = deadline.checked_duration_since(Instant::now())?;
        let left = Timespec::try_from(left).ok()?;
        if poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&left)).ok()? == 0 {
            return None;
        }
        match pipe.read(&mut buffer).ok()? {
            0 => return String::from_utf8(bytes).ok(),
            read => bytes.extend_from_slice(buffer.get(..read)?),
        }
        if bytes.len() > VERSION_BYTES_MAX {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::functions::functions_from_config;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new(programs: &[(&str, &str)]) -> Machine {
            let machine = Machine(tempfile::tempdir().expect("a directory"));
            for (path, says) in programs {
                let path = machine.0.path().join(path);
                fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
                fs::write(&path, format!("#!/bin/sh\necho {says}\n")).expect("a file");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
            }
            machine
        }

        /// The program below the machine's directory, and the warning.
        fn find(&self, config: &str) -> (String, String) {
            let text = format!("[functions.f]\nhandler = 'a.b'\ncode = '.'\n{config}");
            let definitions = functions_from_config(&text, self.0.path()).expect("a configuration");
            let root = self.0.path().display().to_string();
            let path = format!("{root}/shims:{root}/bin");
            let mut interpreters = Interpreters::new([("HOME", root.as_str()), ("PATH", path.as_str())]);
            let found = interpreters.find(&definitions[0]).expect("an interpreter");
            let short = |text: String| text.replace(&format!("{root}/"), "");
            (short(found.program.display().to_string()), short(found.warning.unwrap_or_default()))
        }
    }

    #[test]
    fn the_named_version_if_the_machine_has_it() {
        let machine = Machine::new(&[
            ("shims/python3.12", "never asked"),
            ("shims/python3", "Python 3.11.7"),
            (".pyenv/versions/3.12.1/bin/python3", ""),
            (".pyenv/versions/3.12.10/bin/python3", ""),
            (".pyenv/versions/3.13.0t/bin/python3", ""),
            (".local/share/uv/python/cpython-3.14.2-linux-x86_64-gnu/bin/python3", ""),
            ("bin/python3.10", ""),
            ("bin/node", "v20.20.2"),
            (".nvm/versions/node/v22.3.0/bin/node", ""),
            (".local/share/fnm/node-versions/v24.0.1/installation/bin/node", ""),
        ]);
        for (runtime, program) in [
            ("python3.10", "bin/python3.10"),
            ("python3.11", "shims/python3"),
            ("python3.12", ".pyenv/versions/3.12.10/bin/python3"),
            ("python3.14", ".local/share/uv/python/cpython-3.14.2-linux-x86_64-gnu/bin/python3"),
            ("nodejs20.x", "bin/node"),
            ("nodejs22.x", ".nvm/versions/node/v22.3.0/bin/node"),
            ("nodejs24.x", ".local/share/fnm/node-versions/v24.0.1/installation/bin/node"),
        ] {
            let found = machine.find(&format!("runtime = '{runtime}'"));
            assert_eq!(found, (program.to_owned(), String::new()), "{runtime}");
        }
    }

    #[test]
    fn what_there_is_with_a_warning() {
        let machine = Machine::new(&[("bin/python3", "Python 3.11.7"), ("bin/node", "what")]);
        let (program, warning) = machine.find("runtime = 'python3.99'");
        assert_eq!(program, "bin/python3");
        assert_eq!(
            warning,
            "function f: python3.99 is not on this machine; python3 3.11.7 (bin/python3) runs it instead (`interpreter = …` \
             names another)"
        );
        let (_, warning) = machine.find("runtime = 'nodejs99.x'");
        assert!(warning.ends_with("and bin/node does not say which version it is"), "{warning}");
        let (_, warning) = Machine::new(&[]).find("runtime = 'python3.99'");
        assert!(
            warning.ends_with(
                "neither python3.99 nor any python3 is on this machine; its invocations will fail"
            )
        );
    }

    #[test]
    fn a_named_interpreter() {
        let machine = Machine::new(&[("venv/bin/python", ""), ("bin/python3", "Python 3.11.7")]);
        let find = |interpreter: &str| {
            machine.find(&format!("runtime = 'python3.12'\ninterpreter = '{interpreter}'"))
        };
        assert_eq!(find("venv/bin/python"), ("venv/bin/python".to_owned(), String::new()));
        assert_eq!(find("python3"), ("bin/python3".to_owned(), String::new()));
        assert!(find("nothing/python").1.contains("its interpreter nothing/python is not there"));
    }
}
