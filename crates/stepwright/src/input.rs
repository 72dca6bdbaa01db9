//! `--input`: JSON text, `@FILE`, or `-` for standard input.

use std::path::Path;

use stepwright_types::limit;
use stepwright_value::Document;

use crate::definition;
use crate::diagnostics::draw_text_error;
use crate::terminal::Ability;

/// Reads the payload of `--input`. The error is a text to print, which says where in the JSON it is.
pub fn read(option: &str, ability: Ability) -> Result<Document, String> {
    read_option("--input", option, ability)
}

/// Reads the payload of the option `flag`.
pub fn read_option(flag: &str, option: &str, ability: Ability) -> Result<Document, String> {
    let (name, text) = match option.strip_prefix('@') {
        Some(path) => (path.to_owned(), file(Path::new(path))?),
        None if option == definition::STDIN => {
            let text = definition::text(std::io::stdin().lock());
            ("<stdin>".to_owned(), text.map_err(|reason| format!("error: standard input {reason}\n"))?)
        }
        None => (flag.to_owned(), option.to_owned()),
    };
    let document = Document::parse(&text).map_err(|error| {
        let mut shown = draw_text_error(&name, &text, error.offset, &error.message, ability);
        if name == flag && Path::new(option).is_file() {
            shown.push_str(&format!("There is a file of this name: did you mean {flag} @{option}?\n"));
        }
        shown
    })?;
    if document.len_bytes() > limit::PAYLOAD_BYTES_MAX {
        let (is, max) = (document.len_bytes(), limit::PAYLOAD_BYTES_MAX);
        return Err(format!("error: {name} has {is} bytes; an input has at most {max}\n"));
    }
    Ok(document)
}

fn file(path: &Path) -> Result<String, String> {
    let name = path.display();
    let file = std::fs::File::open(path);
    let file = file.map_err(|error| format!("error: {name} {}\n", definition::reason(&error)))?;
    definition::text(file).map_err(|reason| format!("error: {name} {reason}\n"))
}
