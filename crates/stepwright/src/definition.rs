//! Definitions as files: reading them, and knowing what they are written in.

use std::io::Read;
use std::path::Path;

use stepwright_asl::{CompileOptions, Format, Substitutions, compile};
use stepwright_types::limit;

/// What stands for standard input in place of a file's name.
pub const STDIN: &str = "-";

/// The text of a definition.
pub struct Definition {
    /// As the user named the file; `<stdin>` for standard input.
    pub name: String,
    pub text: String,
    pub format: Format,
}

/// More is not read: no definition is that large, and the message says so.
const BYTES_MAX: u64 = 4 * limit::DEFINITION_BYTES_MAX as u64;

/// Reads a definition. The error says what is wrong with the file, without its name.
pub fn read(path: &Path) -> Result<Definition, String> {
    if path.as_os_str() == STDIN {
        let text = text(std::io::stdin().lock())?;
        return Ok(Definition { name: "<stdin>".to_owned(), text, format: Format::Detect });
    }
    if path.is_dir() {
        return Err("is a directory".to_owned());
    }
    let file = std::fs::File::open(path).map_err(|error| reason(&error))?;
    Ok(Definition { name: path.display().to_string(), text: text(file)?, format: format_of(path) })
}

/// The names of all states, wherever they are in the workflow; none where the definition does not compile.
pub fn state_names(definition: &Definition) -> Vec<String> {
    let options = CompileOptions {
        format: definition.format,
        substitutions: Substitutions::Allow,
        ..CompileOptions::default()
    };
    let Some(program) = compile(&definition.text, &options).program else { return Vec::new() };
    program.states.iter().map(|state| state.name.to_string()).collect()
}

/// By the file's name; for other names, by the text.
fn format_of(path: &Path) -> Format {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json" | "asl") => Format::Json,
        Some("yaml" | "yml") => Format::Yaml,
        _ => Format::Detect,
    }
}

/// All that there is to read, as text. For inputs too.
pub fn text(reader: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    reader.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("is larger than {BYTES_MAX} bytes"));
    }
    // Some editors put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec).unwrap_or(bytes);
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is not UTF-8 text (at byte {at})")
    })
}

/// Without the number of the operating system's error.
pub fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(text(&b"\xEF\xBB\xBF{}"[..]), Ok("{}".to_owned()));
        assert_eq!(text(&b"ab\xff"[..]), Err("is not UTF-8 text (at byte 2)".to_owned()));
    }

    #[test]
    fn formats() {
        for (path, expected) in [
            ("a.asl.json", Format::Json),
            ("a.asl", Format::Json),
            ("b/a.yaml", Format::Yaml),
            ("a.yml", Format::Yaml),
            ("a", Format::Detect),
        ] {
            assert_eq!(format_of(Path::new(path)), expected, "{path}");
        }
    }
}
