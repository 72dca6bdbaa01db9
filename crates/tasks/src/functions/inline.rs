//! Code that stands in a template, put into a directory of its own for as long as the functions run.

use std::io;
use std::path::{Path, PathBuf};

use super::definition::{FunctionDefinition, RuntimeFamily};

/// Directories with the code of templates; removed when this is dropped.
#[derive(Debug, Default)]
pub struct InlineCode {
    directory: Option<PathBuf>,
}

impl Drop for InlineCode {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory); // what is left is small, and in the temporary directory
        }
    }
}

impl InlineCode {
    /// Writes the code of those functions that have none elsewhere, and tells them where it is.
    pub fn write(definitions: &mut [FunctionDefinition]) -> io::Result<InlineCode> {
        let mut inline = InlineCode::default();
        for definition in definitions {
            let Some(code) = &definition.inline_code else { continue };
            let directory = inline.directory()?.join(&definition.name);
            std::fs::create_dir_all(&directory)?;
            std::fs::write(directory.join(file_name(definition.runtime.family)), code)?;
            definition.code = directory;
        }
        Ok(inline)
    }

    fn directory(&mut self) -> io::Result<&Path> {
        use std::os::unix::fs::DirBuilderExt as _;
        if self.directory.is_none() {
            let name = format!("stepwright-functions-{}", uuid::Uuid::new_v4().simple());
            let directory = std::env::temp_dir().join(name);
            std::fs::DirBuilder::new().mode(0o700).create(&directory)?;
            self.directory = Some(directory);
        }
        Ok(self.directory.as_deref().unwrap_or(Path::new(".")))
    }
}

/// Lambda's name for the module.
fn file_name(family: RuntimeFamily) -> &'static str {
    match family {
        RuntimeFamily::Python => "index.py",
        RuntimeFamily::Node => "index.js",
        RuntimeFamily::Provided => "bootstrap",
    }
}
