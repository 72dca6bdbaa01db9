//! Layers: directories that Lambda would lay over each other below `/opt`. Here they stay where they are, and the variables by
//! which programs find libraries name them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::definition::{FunctionDefinition, RuntimeFamily};

/// Adds the layers to a process's variables. What the function itself declares comes first.
pub fn add(definition: &FunctionDefinition, environment: &mut BTreeMap<String, String>) {
    let version = &definition.runtime.version;
    let places: &[(&str, &[&str])] = &[
        ("PATH", &["bin"]),
        ("LD_LIBRARY_PATH", &["lib"]),
        match definition.runtime.family {
            RuntimeFamily::Python => ("PYTHONPATH", &["python", "python/lib/python{}/site-packages"]),
            RuntimeFamily::Node => ("NODE_PATH", &["nodejs/node_modules", "nodejs/node{}/node_modules"]),
            RuntimeFamily::Provided => ("PATH", &[]),
        },
    ];
    for (variable, below) in places {
        // The layer that is named last lies on top.
        let directories = definition.layers.iter().rev().flat_map(|layer| {
            let layer = std::path::absolute(layer).unwrap_or_else(|_| layer.clone());
            below.iter().map(move |below| layer.join(below.replace("{}", version)))
        });
        let there: Vec<PathBuf> = directories.filter(|directory| directory.is_dir()).collect();
        if there.is_empty() {
            continue;
        }
        let before = environment.get(*variable).cloned().unwrap_or_default();
        let before = std::env::split_paths(&before).filter(|path| !path.as_os_str().is_empty());
        // A directory with a colon in its name cannot be in such a list.
        if let Ok(list) = std::env::join_paths(before.chain(there)) {
            environment.insert((*variable).to_owned(), list.to_string_lossy().into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::functions::functions_from_config;

    #[test]
    fn the_last_one_lies_on_top() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in ["a/python", "b/python/lib/python3.12/site-packages", "b/bin", "b/nodejs/node_modules"] {
            fs::create_dir_all(directory.path().join(path)).expect("a directory");
        }
        let config =
            "[functions.f]\nruntime = 'python3.12'\nhandler = 'a.b'\ncode = '.'\nlayers = ['a', 'b']";
        let definitions = functions_from_config(config, directory.path()).expect("a configuration");
        let mut environment = BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]);
        add(&definitions[0], &mut environment);
        let root = directory.path().display().to_string();
        let found: Vec<String> =
            environment.iter().map(|(k, v)| format!("{k}={}", v.replace(&root, ""))).collect();
        assert_eq!(
            found,
            ["PATH=/bin:/b/bin", "PYTHONPATH=/b/python:/b/python/lib/python3.12/site-packages:/a/python"]
        );
    }
}
