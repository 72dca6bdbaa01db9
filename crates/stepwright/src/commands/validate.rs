//! `stepwright validate`: what is wrong with definitions, shown the way compilers do.

use std::path::Path;

use stepwright_asl::{CompileOptions, Severity, Substitutions, diagnose};
use stepwright_value::{Object, Value};

use crate::cli::{MachineType, Validate};
use crate::definition::{self, Definition};
use crate::diagnostics::Sheet;
use crate::exit::{Exit, Failure};
use crate::output::{self, Reader};
use crate::terminal::{Ability, Stream, TEXT_COLUMNS_MAX};

/// Findings about one file that are drawn; of more, only the number.
const FINDINGS_MAX: usize = 50;

pub fn run(arguments: Validate) -> Result<Exit, Failure> {
    let ability = Stream::Out.ability();
    let columns = if ability.is_terminal { Stream::Out.size().columns } else { TEXT_COLUMNS_MAX };
    let mut count = Count::default();
    for path in &arguments.files {
        let text = match definition::read(path) {
            Ok(definition) => findings(&definition, &arguments, ability, columns, &mut count),
            Err(reason) => {
                count.unreadable += 1;
                unreadable(path, &reason, arguments.json)
            }
        };
        count.files += 1;
        // Who does not read any more still gets the exit status, of what was looked at so far.
        if output::write(&text)? == Reader::Gone {
            return Ok(count.exit(arguments.strict));
        }
    }
    output::tell(&format!("{}\n", count.summary()));
    if let Some(code) = count.first_code.filter(|_| !arguments.json) {
        output::tell(&format!("`stepwright explain {code}` tells more about the first of them\n"));
    }
    Ok(count.exit(arguments.strict))
}

fn findings(
    definition: &Definition,
    arguments: &Validate,
    ability: Ability,
    columns: usize,
    count: &mut Count,
) -> String {
    let options = CompileOptions {
        machine_type: match arguments.r#type {
            MachineType::Standard => stepwright_asl::MachineType::Standard,
            MachineType::Express => stepwright_asl::MachineType::Express,
        },
        format: definition.format,
        substitutions: if arguments.literal { Substitutions::None } else { Substitutions::Allow },
    };
    let sheet = Sheet::new(&definition.name, &definition.text);
    let mut text = String::new();
    let mut left_out = 0;
    for (at, diagnostic) in diagnose(&definition.text, &options).diagnostics.into_iter().enumerate() {
        count.first_code.get_or_insert(diagnostic.code);
        match diagnostic.severity {
            Severity::Error => count.errors += 1,
            Severity::Warning => count.warnings += 1,
        }
        if arguments.json {
            sheet.json(&diagnostic).write(&mut text);
            text.push('\n');
        } else if at < FINDINGS_MAX {
            text.push_str(&sheet.draw(&diagnostic, ability, columns));
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let name = &definition.name;
        text.push_str(&format!("{name}: and {left_out} more; `--json` lists them all\n\n"));
    }
    text
}

fn unreadable(path: &Path, reason: &str, json: bool) -> String {
    let name = path.display();
    if !json {
        return format!("error: {name} {reason}\n\n");
    }
    let mut object = Object::new();
    object.insert("file", name.to_string());
    object.insert("code", Value::Null);
    object.insert("severity", "error");
    object.insert("message", format!("{name} {reason}"));
    Value::from(object).to_json() + "\n"
}

#[derive(Default)]
struct Count {
    files: usize,
    unreadable: usize,
    errors: usize,
    warnings: usize,
    first_code: Option<&'static str>,
}

impl Count {
    /// `2 errors, 1 warning in 3 files`.
    fn summary(&self) -> String {
        let errors = match self.errors + self.unreadable {
            0 => "no errors".to_owned(),
            errors => counted(errors, "error"),
        };
        let warnings = match self.warnings {
            0 if self.errors + self.unreadable == 0 => ", no warnings".to_owned(),
            0 => String::new(),
            warnings => format!(", {}", counted(warnings, "warning")),
        };
        format!("{errors}{warnings} in {}", counted(self.files, "file"))
    }

    fn exit(&self, strict: bool) -> Exit {
        if self.unreadable > 0 {
            Exit::Usage
        } else if self.errors > 0 || (strict && self.warnings > 0) {
            Exit::Negative
        } else {
            Exit::Success
        }
    }
}

fn counted(count: usize, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
