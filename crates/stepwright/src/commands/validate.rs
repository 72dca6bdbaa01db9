//! `stepwright validate`: what is wrong with definitions, shown the way compilers do.

use std::path::Path;

use stepwright_asl::{CompileOptions, Format, MachineType, Severity, Substitutions, diagnose};
use stepwright_tasks::functions::{MachineDefinition, state_machines_in_template};
use stepwright_value::{Object, Value};

use crate::cli::Validate;
use crate::definition::{self, Definition};
use crate::diagnostics::Sheet;
use crate::exit::{Exit, Failure};
use crate::output::{self, Reader};
use crate::terminal::{Ability, Stream, TEXT_COLUMNS_MAX};
use crate::unavailable;

/// Findings about one file that are drawn; of more, only the number.
const FINDINGS_MAX: usize = 50;

pub fn run(arguments: Validate) -> Result<Exit, Failure> {
    let ability = Stream::Out.ability();
    let columns = if ability.is_terminal { Stream::Out.size().columns } else { TEXT_COLUMNS_MAX };
    let mut count = Count::default();
    for path in &arguments.files {
        count.files += 1;
        let text = match read(path) {
            Ok(judged) => judged
                .iter()
                .map(|judged| findings(judged, &arguments, ability, columns, &mut count))
                .collect(),
            Err(reason) => {
                count.unreadable += 1;
                unreadable(path, &reason, arguments.json)
            }
        };
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

/// A definition to judge.
struct Judged {
    definition: Definition,
    /// The text that is shown, where the definition is a part of it; places are the same in both.
    shown: Option<String>,
    /// Where the template says so.
    machine_type: Option<MachineType>,
}

/// The definitions of a file: the one that it is, or those of the template that it is.
fn read(path: &Path) -> Result<Vec<Judged>, String> {
    let definition = definition::read(path)?;
    let machines = match definition.text.contains("Resources") {
        true => state_machines_in_template(&definition.text).ok().flatten(),
        false => None,
    };
    let Some(machines) = machines else {
        return Ok(vec![Judged { definition, shown: None, machine_type: None }]);
    };
    let mut found = Vec::new();
    for machine in machines {
        let machine_type = if machine.is_express { MachineType::Express } else { MachineType::Standard };
        let in_template = format!("{}({})", definition.name, machine.id);
        let of_text = |name: String, text| Definition { name, text, format: Format::Detect };
        let (own, shown) = match machine.definition {
            MachineDefinition::Here(text) => {
                (of_text(definition.name.clone(), text), Some(definition.text.clone()))
            }
            MachineDefinition::Text(text) => (of_text(in_template, text), None),
            MachineDefinition::File(file) => {
                let file = path.parent().unwrap_or(Path::new("")).join(file);
                let own = definition::read(&file).map_err(|reason| {
                    format!("has {}, whose definition {} {reason}", machine.id, file.display())
                })?;
                (own, None)
            }
            MachineDefinition::Elsewhere => {
                output::tell(&format!(
                    "note: {in_template} is not judged: only a deployment has its definition\n"
                ));
                continue;
            }
        };
        found.push(Judged { definition: own, shown, machine_type: Some(machine_type) });
    }
    Ok(found)
}

fn findings(
    judged: &Judged,
    arguments: &Validate,
    ability: Ability,
    columns: usize,
    count: &mut Count,
) -> String {
    let definition = &judged.definition;
    let options = CompileOptions {
        machine_type: judged.machine_type.unwrap_or(arguments.r#type.into()),
        format: definition.format,
        substitutions: if arguments.literal { Substitutions::None } else { Substitutions::Allow },
    };
    let sheet = Sheet::new(&definition.name, judged.shown.as_ref().unwrap_or(&definition.text));
    let mut text = String::new();
    let mut left_out = 0;
    let judgement = diagnose(&definition.text, &options);
    if let Some(program) = judgement.program.as_ref().filter(|_| !arguments.json)
        && let Some(line) = unavailable::line(&definition.name, program)
    {
        output::tell(&line);
    }
    for (at, diagnostic) in judgement.diagnostics.into_iter().enumerate() {
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
