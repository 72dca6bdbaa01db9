//! `stepwright init`: a small project to begin with.

use std::path::Path;

use anyhow::{Context as _, anyhow};

use crate::cli::{Init, Language};
use crate::exit::{Exit, Failure, OrExit as _};
use crate::output;

const WORKFLOW: &str = include_str!("../../templates/hello.asl.json");
const PYTHON: &str = include_str!("../../templates/greet.py");
const NODE: &str = include_str!("../../templates/greet.mjs");

pub fn run(arguments: &Init) -> Result<Exit, Failure> {
    let directory = &arguments.directory;
    let (runtime, file, code) = match arguments.language {
        Language::Python => ("python3.13", "greet.py", PYTHON),
        Language::Node => ("nodejs22.x", "greet.mjs", NODE),
    };
    let config = format!(
        "# Functions that run here; docs/functions.md has all that can be said of them.\n[functions.greet]\nruntime = \
         \"{runtime}\"\nhandler = \"greet.handler\"\ncode = \"functions/greet\"\ntimeout = 10\n"
    );
    let files = [
        ("stepwright.toml".to_owned(), config.as_str()),
        ("hello.asl.json".to_owned(), WORKFLOW),
        (format!("functions/greet/{file}"), code),
    ];
    // Nothing is overwritten, and nothing is written if one of them would have to be.
    if let Some((name, _)) = files.iter().find(|(name, _)| directory.join(name).exists()) {
        let there = directory.join(name);
        return Err(anyhow!("{} is there already", there.display())).or_exit(Exit::Usage);
    }
    for (name, text) in &files {
        write(&directory.join(name), text).or_exit(Exit::Usage)?;
        output::write(&format!("{}\n", directory.join(name).display()))?;
    }
    let to = match directory.as_os_str() == "." {
        true => String::new(),
        false => format!("  cd {}\n", directory.display()),
    };
    output::tell(&format!(
        "\nTry:\n{to}  stepwright run hello.asl.json --input '{{\"name\": \"Ada\"}}'\n  stepwright invoke greet --input \
         '{{\"name\": \"Ada\"}}'\n  stepwright validate hello.asl.json\n"
    ));
    Ok(Exit::Success)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("{} cannot be made", directory.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
