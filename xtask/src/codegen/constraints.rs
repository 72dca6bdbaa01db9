//! The constraints of requests as data, for the test that walks them: which shapes a request is made of, and what each
//! allows.
//!
//! JSON, a line for each shape: `operations` (operation: its input shape) and `shapes` (shape: type, and where there are any
//! `min`, `max`, `pattern`, `sensitive`, `enum`, `item`, `required`, `members`).

use std::fmt::Write as _;

use anyhow::Result;

use super::service::{Kind, Service, Shape};

pub fn emit(service: &Service) -> Result<String> {
    let operations = service.operations.iter();
    let operations = operations.map(|operation| format!("    {:?}: {:?}", operation.name, operation.input));
    let wanted = service.input_shapes()?;
    let shapes = service.shapes.iter().filter(|(name, _)| wanted.contains(name));
    let shapes = shapes.map(|(name, shape)| format!("    {name:?}: {}", description(shape)));
    Ok(format!(
        "{{\n  \"operations\": {{\n{}\n  }},\n  \"shapes\": {{\n{}\n  }}\n}}\n",
        operations.collect::<Vec<_>>().join(",\n"),
        shapes.collect::<Vec<_>>().join(",\n"),
    ))
}

/// A shape as a JSON object. Names and patterns are ASCII, whose escapes are the same in Rust and in JSON.
fn description(shape: &Shape) -> String {
    let mut out = format!("{{\"type\": {:?}", type_name(&shape.kind));
    // Writing to a string cannot fail.
    if let Some(min) = shape.min {
        let _ = write!(out, ", \"min\": {min}");
    }
    if let Some(max) = shape.max {
        let _ = write!(out, ", \"max\": {max}");
    }
    if let Some(pattern) = &shape.pattern {
        let _ = write!(out, ", \"pattern\": {pattern:?}");
    }
    if shape.sensitive {
        out += ", \"sensitive\": true";
    }
    match &shape.kind {
        Kind::Enumeration(values) => {
            let _ = write!(out, ", \"enum\": {values:?}");
        }
        Kind::List { item } => {
            let _ = write!(out, ", \"item\": {item:?}");
        }
        Kind::Structure { members, .. } => {
            let required: Vec<&str> =
                members.iter().filter(|member| member.required).map(|member| member.name.as_str()).collect();
            let members: Vec<String> =
                members.iter().map(|member| format!("{:?}: {:?}", member.name, member.shape)).collect();
            let _ = write!(out, ", \"required\": {required:?}, \"members\": {{{}}}", members.join(", "));
        }
        _ => {}
    }
    out.push('}');
    out
}

fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Structure { .. } => "structure",
        Kind::List { .. } => "list",
        Kind::Map { .. } => "map",
        Kind::Enumeration(_) => "enumeration",
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Long => "long",
        Kind::Float => "float",
        Kind::Boolean => "boolean",
        Kind::Timestamp => "timestamp",
    }
}
