//! Requests as they arrive (every member optional) and the code that checks the model's constraints.
//!
//! A constraint becomes a constant; a pattern becomes a call of a hand-written function of the same name as the shape,
//! so that a new pattern in the model fails to compile until someone has written it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::service::{Kind, Member, Service, Shape};
use super::{header, names};

pub fn emit(service: &Service) -> Result<String> {
    let mut out = header(service, "Requests as they arrive, and the checks that they have to pass.");
    out += "use serde::Deserialize;\n\nuse super::check::{Checked, IntegerRule, Object, Path, Pattern, SizeRule, TextRule, FloatRule, Violations, Wire, patterns};\nuse super::shapes;\n\n";
    let wanted = service.input_shapes()?;
    for (name, shape) in service.shapes.iter().filter(|(name, _)| wanted.contains(name)) {
        rule(name, shape, &mut out);
    }
    let listed = items_of_bounded_lists(service, &wanted)?;
    for (name, shape) in service.shapes.iter().filter(|(name, _)| wanted.contains(name)) {
        if let Kind::Structure { members, .. } = &shape.kind {
            wire(service, name, members, &mut out)?;
            checks(service, name, members, listed.contains(name), &mut out)?;
        }
    }
    Ok(out)
}

/// The shape's constraints as a constant.
fn rule(name: &str, shape: &Shape, out: &mut String) {
    let constant = names::constant(name);
    let (min, max) = (shape.min, shape.max);
    let _ = match &shape.kind {
        Kind::Text => {
            let pattern = match &shape.pattern {
                Some(source) => format!(
                    "Some(Pattern {{ source: {source:?}, matches: patterns::{} }})",
                    names::snake(name)
                ),
                None => "None".to_owned(),
            };
            writeln!(
                out,
                "const {constant}: TextRule = TextRule {{ chars_min: {}, chars_max: {}, pattern: {pattern}, sensitive: {} }};",
                min.unwrap_or(0),
                max.map_or("usize::MAX".to_owned(), |max| max.to_string()),
                shape.sensitive
            )
        }
        Kind::Integer | Kind::Long => {
            writeln!(out, "const {constant}: IntegerRule = IntegerRule {{ min: {min:?}, max: {max:?} }};")
        }
        Kind::Float => writeln!(
            out,
            "const {constant}: FloatRule = FloatRule {{ min: {:?}, max: {:?} }};",
            min.map(|min| min as f64),
            max.map(|max| max as f64)
        ),
        Kind::List { .. } => writeln!(
            out,
            "const {constant}: SizeRule = SizeRule {{ min: {}, max: {} }};",
            min.unwrap_or(0),
            max.map_or("usize::MAX".to_owned(), |max| max.to_string())
        ),
        _ => Ok(()),
    };
}

/// Structures whose list has a size limit: a violation shows the list as text.
fn items_of_bounded_lists(service: &Service, wanted: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for name in wanted {
        let shape = service.shape(name)?;
        if let Kind::List { item } = &shape.kind
            && (shape.min.is_some() || shape.max.is_some())
        {
            found.insert(item.clone());
        }
    }
    Ok(found)
}

fn wire(service: &Service, name: &str, members: &[Member], out: &mut String) -> Result<()> {
    let _ = writeln!(out, "\n#[derive(Default, Deserialize)]\n#[serde(default)]\npub struct Wire{name} {{");
    for member in members {
        let rust = wire_type(service, &member.shape)?;
        let _ = writeln!(out, "    #[serde(rename = {:?})]", member.name);
        let _ = writeln!(out, "    {}: Option<{rust}>,", names::field(&member.name));
    }
    *out += "}\n\n";
    Ok(())
}

fn wire_type(service: &Service, shape: &str) -> Result<String> {
    Ok(match &service.shape(shape)?.kind {
        Kind::Structure { .. } => format!("Object<Wire{shape}>"),
        Kind::List { item } => format!("Vec<Option<{}>>", wire_type(service, item)?),
        Kind::Text | Kind::Enumeration(_) => "String".to_owned(),
        Kind::Integer => "i32".to_owned(),
        Kind::Long => "i64".to_owned(),
        Kind::Float => "f64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Map { .. } | Kind::Timestamp => bail!("{shape}: not expected in a request"),
    })
}

fn checks(service: &Service, name: &str, members: &[Member], listed: bool, out: &mut String) -> Result<()> {
    let mut unchecked = true;
    for member in members {
        unchecked &= matches!(service.shape(&member.shape)?.kind, Kind::Boolean) && !member.required;
    }
    let unused = if unchecked { "_" } else { "" };
    let _ = writeln!(out, "impl Checked for shapes::{name} {{\n    type Wire = Wire{name};\n}}\n");
    let _ = writeln!(
        out,
        "impl Wire for Wire{name} {{\n    type Checked = shapes::{name};\n\n    fn check(self, {unused}at: &Path<'_>, {unused}violations: &mut Violations) -> Option<shapes::{name}> {{"
    );
    for member in members {
        let field = names::field(&member.name);
        let here = format!("&at.member({:?})", member.name);
        if member.required {
            let _ = writeln!(out, "        violations.present(&self.{field}, {here});");
        }
        let _ = writeln!(out, "        let {field} = {};", check(service, &member.shape, &field, &here)?);
    }
    let _ = writeln!(out, "        Some(shapes::{name} {{");
    for member in members {
        let field = names::field(&member.name);
        let _ = writeln!(
            out,
            "            {field}{},",
            if member.required { format!(": {field}?") } else { String::new() }
        );
    }
    *out += "        })\n    }\n";
    if listed {
        let parts: Vec<String> = members.iter().map(|member| format!("{}={{}}", member.name)).collect();
        let _ = writeln!(
            out,
            "\n    fn describe(&self) -> String {{\n        format!(\"{name}({})\"",
            parts.join(", ")
        );
        for member in members {
            let _ =
                writeln!(out, "            , super::check::or_null(&self.{})", names::field(&member.name));
        }
        *out += "        )\n    }\n";
    }
    *out += "}\n";
    Ok(())
}

fn check(service: &Service, shape: &str, field: &str, here: &str) -> Result<String> {
    let rule = names::constant(shape);
    Ok(match &service.shape(shape)?.kind {
        Kind::Text => format!("violations.text(self.{field}, {here}, &{rule})"),
        Kind::Enumeration(_) => format!("violations.one_of(self.{field}, {here})"),
        Kind::Integer | Kind::Long => format!("violations.integer(self.{field}, {here}, &{rule})"),
        Kind::Float => format!("violations.float(self.{field}, {here}, &{rule})"),
        Kind::Boolean => format!("self.{field}"),
        Kind::Structure { .. } => format!("violations.nested(self.{field}, {here})"),
        Kind::List { item } => match &service.shape(item)?.kind {
            Kind::Structure { .. } => format!("violations.list(self.{field}, {here}, &{rule})"),
            Kind::Text => {
                format!("violations.texts(self.{field}, {here}, &{rule}, &{})", names::constant(item))
            }
            _ => bail!("{shape}: a list of this kind is not expected in a request"),
        },
        Kind::Map { .. } | Kind::Timestamp => bail!("{shape}: not expected in a request"),
    })
}
