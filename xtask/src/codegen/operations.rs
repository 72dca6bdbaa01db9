//! The table of operations and the error names.

use std::fmt::Write as _;

use super::header;
use super::service::{Kind, Service};

/// The HTTP status of an error for which the model names none.
const DEFAULT_STATUS: u16 = 400;

pub fn operations(service: &Service) -> String {
    let mut out = header(service, "The operations.");
    out += "use super::ErrorName;\n\n";
    let _ = writeln!(
        out,
        "/// What stands before the operation in the `X-Amz-Target` header.\npub const TARGET_PREFIX: &str = {:?};\n",
        format!("{}.", service.target_prefix)
    );
    out += "/// An operation of the service.\n#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]\npub enum Operation {\n";
    for operation in &service.operations {
        let _ = writeln!(out, "    {},", operation.name);
    }
    let _ = writeln!(
        out,
        "}}\n\nimpl Operation {{\n    pub const ALL: [Operation; {}] = [",
        service.operations.len()
    );
    for operation in &service.operations {
        let _ = writeln!(out, "        Operation::{},", operation.name);
    }
    out += "    ];\n\n    pub fn name(self) -> &'static str {\n        match self {\n";
    for operation in &service.operations {
        let _ = writeln!(out, "            Operation::{0} => {0:?},", operation.name);
    }
    out += "        }\n    }\n\n    pub fn from_name(name: &str) -> Option<Operation> {\n        Some(match name {\n";
    for operation in &service.operations {
        let _ = writeln!(out, "            {0:?} => Operation::{0},", operation.name);
    }
    out += "            _ => return None,\n        })\n    }\n\n";
    out += "    /// What clients put before the host name.\n    pub fn host_prefix(self) -> Option<&'static str> {\n        match self {\n";
    for operation in &service.operations {
        if let Some(prefix) = &operation.host_prefix {
            let _ = writeln!(out, "            Operation::{} => Some({prefix:?}),", operation.name);
        }
    }
    out += "            _ => None,\n        }\n    }\n\n";
    out += "    /// Whether the model says that a repetition has no further effect.\n    pub fn is_idempotent(self) -> bool {\n        matches!(self, ";
    let idempotent: Vec<String> = service
        .operations
        .iter()
        .filter(|operation| operation.idempotent)
        .map(|operation| format!("Operation::{}", operation.name))
        .collect();
    out += &idempotent.join(" | ");
    out += ")\n    }\n\n    /// The errors that the model names for it.\n    pub fn errors(self) -> &'static [ErrorName] {\n        match self {\n";
    for operation in &service.operations {
        let errors: Vec<String> =
            operation.errors.iter().map(|error| format!("ErrorName::{error}")).collect();
        let _ = writeln!(out, "            Operation::{} => &[{}],", operation.name, errors.join(", "));
    }
    out += "        }\n    }\n}\n";
    out
}

pub fn errors(service: &Service) -> String {
    let mut out = header(service, "The service's own errors.");
    let errors: Vec<(&str, u16)> = service
        .shapes
        .iter()
        .filter_map(|(name, shape)| match shape.kind {
            Kind::Structure { exception: Some(status), .. } => Some((name.as_str(), status)),
            _ => None,
        })
        .collect();
    out += "/// An error that the model names.\n#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]\npub enum ErrorName {\n";
    for (name, _) in &errors {
        let _ = writeln!(out, "    {name},");
    }
    out += "}\n\nimpl ErrorName {\n    pub fn as_str(self) -> &'static str {\n        match self {\n";
    for (name, _) in &errors {
        let _ = writeln!(out, "            ErrorName::{name} => {name:?},");
    }
    out += "        }\n    }\n\n    pub fn http_status(self) -> u16 {\n";
    let others: Vec<&(&str, u16)> = errors.iter().filter(|(_, status)| *status != DEFAULT_STATUS).collect();
    if others.is_empty() {
        let _ = writeln!(out, "        {DEFAULT_STATUS}");
    } else {
        out += "        match self {\n";
        for (name, status) in others {
            let _ = writeln!(out, "            ErrorName::{name} => {status},");
        }
        let _ = writeln!(out, "            _ => {DEFAULT_STATUS},\n        }}");
    }
    out += "    }\n}\n";
    out
}
