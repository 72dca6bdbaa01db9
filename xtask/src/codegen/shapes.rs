//! Request and response types: plain structures and enumerations with serde derives. `Debug` does not show the members that
//! the model marks sensitive.

use std::fmt::Write as _;

use anyhow::Result;

use super::service::{Kind, Member, Service};
use super::{header, names};

pub fn emit(service: &Service) -> Result<String> {
    let mut out = header(
        service,
        "Requests that satisfy the model's constraints, responses, and what they are made of.\n//!\n\
         //! Left out: history events, which the interpreter renders by itself.",
    );
    out += "use std::collections::BTreeMap;\nuse std::fmt;\n\nuse serde::{Deserialize, Serialize};\n\nuse super::Timestamp;\nuse super::check::Enumeration;\nuse super::redacted::Redacted;\n\n";
    let mut wanted = service.input_shapes()?;
    wanted.extend(service.output_shapes()?);
    for (name, shape) in &service.shapes {
        if !wanted.contains(name) {
            continue;
        }
        match &shape.kind {
            Kind::Structure { members, exception: None } => structure(service, name, members, &mut out)?,
            Kind::Enumeration(values) => enumeration(name, values, &mut out),
            _ => {}
        }
    }
    Ok(out)
}

fn structure(service: &Service, name: &str, members: &[Member], out: &mut String) -> Result<()> {
    let default = if members.iter().all(|member| !member.required) { "Default, " } else { "" };
    let has_secrets = members.iter().any(|member| is_sensitive(service, &member.shape));
    let debug = if has_secrets { "" } else { "Debug, " };
    let _ = writeln!(
        out,
        "#[derive(Clone, {default}PartialEq, {debug}Serialize, Deserialize)]\npub struct {name} {{"
    );
    for member in members {
        let rust = rust_type(service, &member.shape)?;
        if member.required {
            let _ = writeln!(out, "    #[serde(rename = {:?})]", member.name);
            let _ = writeln!(out, "    pub {}: {rust},", names::field(&member.name));
        } else {
            let _ = writeln!(
                out,
                "    #[serde(rename = {:?}, default, skip_serializing_if = \"Option::is_none\")]",
                member.name
            );
            let _ = writeln!(out, "    pub {}: Option<{rust}>,", names::field(&member.name));
        }
    }
    *out += "}\n\n";
    if !has_secrets {
        return Ok(());
    }
    let _ = writeln!(
        out,
        "impl fmt::Debug for {name} {{\n    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {{\n        formatter\n            .debug_struct({name:?})"
    );
    for member in members {
        let field = names::field(&member.name);
        let value = match (is_sensitive(service, &member.shape), member.required) {
            (false, _) => format!("self.{field}"),
            (true, true) => "Redacted".to_owned(),
            (true, false) => format!("self.{field}.as_ref().map(|_| Redacted)"),
        };
        let _ = writeln!(out, "            .field({:?}, &{value})", names::snake(&member.name));
    }
    *out += "            .finish()\n    }\n}\n\n";
    Ok(())
}

/// Whether the model marks the shape, or what it is a list or map of.
fn is_sensitive(service: &Service, shape: &str) -> bool {
    let Ok(shape) = service.shape(shape) else { return false };
    let inner = match &shape.kind {
        Kind::List { item } => is_sensitive(service, item),
        Kind::Map { value } => is_sensitive(service, value),
        _ => false,
    };
    shape.sensitive || inner
}

fn enumeration(name: &str, values: &[String], out: &mut String) {
    let _ = writeln!(
        out,
        "#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]\npub enum {name} {{"
    );
    for value in values {
        let _ = writeln!(out, "    #[serde(rename = {value:?})]\n    {},", names::variant(value));
    }
    let _ = writeln!(out, "}}\n\nimpl Enumeration for {name} {{\n    const ALL: &'static [{name}] = &[");
    for value in values {
        let _ = writeln!(out, "        {name}::{},", names::variant(value));
    }
    *out += "    ];\n\n    fn as_str(self) -> &'static str {\n        match self {\n";
    for value in values {
        let _ = writeln!(out, "            {name}::{} => {value:?},", names::variant(value));
    }
    *out += "        }\n    }\n\n    fn from_text(text: &str) -> Option<Self> {\n        Some(match text {\n";
    for value in values {
        let _ = writeln!(out, "            {value:?} => {name}::{},", names::variant(value));
    }
    *out += "            _ => return None,\n        })\n    }\n}\n\n";
}

pub fn rust_type(service: &Service, shape: &str) -> Result<String> {
    Ok(match &service.shape(shape)?.kind {
        Kind::Structure { .. } | Kind::Enumeration(_) => shape.to_owned(),
        Kind::List { item } => format!("Vec<{}>", rust_type(service, item)?),
        Kind::Map { value } => format!("BTreeMap<String, {}>", rust_type(service, value)?),
        Kind::Text => "String".to_owned(),
        Kind::Integer => "i32".to_owned(),
        Kind::Long => "i64".to_owned(),
        Kind::Float => "f64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Timestamp => "Timestamp".to_owned(),
    })
}
