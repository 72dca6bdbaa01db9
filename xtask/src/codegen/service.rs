//! The service model, as far as it is used.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use stepwright_value::{Object, Value};

/// History events are rendered by the interpreter's own projection, so their shapes are left out.
const RENDERED_ELSEWHERE: &[&str] = &["HistoryEventList", "GetExecutionHistoryOutput"];

pub struct Service {
    pub full_name: String,
    pub api_version: String,
    pub target_prefix: String,
    pub operations: Vec<Operation>,
    /// In the model's order.
    pub shapes: Vec<(String, Shape)>,
}

pub struct Operation {
    pub name: String,
    pub input: String,
    pub output: String,
    pub errors: Vec<String>,
    pub idempotent: bool,
    pub host_prefix: Option<String>,
}

pub struct Shape {
    pub kind: Kind,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub pattern: Option<String>,
    pub sensitive: bool,
}

pub enum Kind {
    Structure { members: Vec<Member>, exception: Option<u16> },
    List { item: String },
    Map { value: String },
    Enumeration(Vec<String>),
    Text,
    Integer,
    Long,
    Float,
    Boolean,
    Timestamp,
}

pub struct Member {
    pub name: String,
    pub shape: String,
    pub required: bool,
}

impl Service {
    pub fn from_json(model: &Value) -> Result<Service> {
        let metadata = model.get("metadata").context("metadata")?;
        Ok(Service {
            full_name: text(metadata, "serviceFullName")?,
            api_version: text(metadata, "apiVersion")?,
            target_prefix: text(metadata, "targetPrefix")?,
            operations: members(model, "operations")?
                .iter()
                .map(|(name, operation)| Operation::from_json(name, operation))
                .collect::<Result<_>>()?,
            shapes: members(model, "shapes")?
                .iter()
                .map(|(name, shape)| {
                    Ok((name.to_string(), Shape::from_json(shape).context(name.to_string())?))
                })
                .collect::<Result<_>>()?,
        })
    }

    pub fn shape(&self, name: &str) -> Result<&Shape> {
        let found = self.shapes.iter().find(|(known, _)| known == name);
        found.map(|(_, shape)| shape).with_context(|| format!("shape {name}"))
    }

    /// All shapes that the inputs need.
    pub fn input_shapes(&self) -> Result<BTreeSet<String>> {
        self.reachable(self.operations.iter().map(|operation| operation.input.as_str()))
    }

    /// All shapes that the outputs and errors need.
    pub fn output_shapes(&self) -> Result<BTreeSet<String>> {
        let outputs = self.operations.iter().map(|operation| operation.output.as_str());
        let errors = self.operations.iter().flat_map(|operation| operation.errors.iter().map(String::as_str));
        self.reachable(outputs.chain(errors))
    }

    fn reachable<'a>(&'a self, roots: impl Iterator<Item = &'a str>) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = roots.collect();
        while let Some(name) = open.pop() {
            if RENDERED_ELSEWHERE.contains(&name) || !found.insert(name.to_owned()) {
                continue;
            }
            match &self.shape(name)?.kind {
                Kind::Structure { members, .. } => {
                    open.extend(members.iter().map(|member| member.shape.as_str()))
                }
                Kind::List { item } => open.push(item),
                Kind::Map { value } => open.push(value),
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Operation {
    fn from_json(name: &str, json: &Value) -> Result<Operation> {
        let shape_of = |member: &str| {
            json.get(member).map_or_else(|| bail!("{name} has no {member}"), |value| text(value, "shape"))
        };
        let errors = json.get("errors").and_then(Value::as_array);
        Ok(Operation {
            name: name.to_owned(),
            input: shape_of("input")?,
            output: shape_of("output")?,
            errors: errors
                .map(|errors| errors.iter().map(|error| text(error, "shape")).collect::<Result<_>>())
                .transpose()?
                .unwrap_or_default(),
            idempotent: flag(json, "idempotent"),
            host_prefix: json
                .get("endpoint")
                .and_then(|endpoint| endpoint.get("hostPrefix"))
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }
}

impl Shape {
    fn from_json(json: &Value) -> Result<Shape> {
        let kind = match json.get("type").and_then(Value::as_str).context("type")? {
            "structure" => structure(json)?,
            "list" => Kind::List { item: text(json.get("member").context("member")?, "shape")? },
            "map" => Kind::Map { value: text(json.get("value").context("value")?, "shape")? },
            "string" => match json.get("enum").and_then(Value::as_array) {
                Some(values) => {
                    Kind::Enumeration(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                None => Kind::Text,
            },
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "float" | "double" => Kind::Float,
            "boolean" => Kind::Boolean,
            "timestamp" => Kind::Timestamp,
            other => bail!("unknown type {other}"),
        };
        Ok(Shape {
            kind,
            min: json.get("min").and_then(Value::as_i64),
            max: json.get("max").and_then(Value::as_i64),
            pattern: json.get("pattern").and_then(Value::as_str).map(str::to_owned),
            sensitive: flag(json, "sensitive"),
        })
    }
}

fn structure(json: &Value) -> Result<Kind> {
    let required: Vec<&str> = json
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let members = members(json, "members")?
        .iter()
        .map(|(name, member)| {
            Ok(Member {
                name: name.to_string(),
                shape: text(member, "shape")?,
                required: required.contains(&&**name),
            })
        })
        .collect::<Result<_>>()?;
    let status = json
        .get("error")
        .and_then(|error| error.get("httpStatusCode"))
        .and_then(Value::as_i64)
        .and_then(|status| u16::try_from(status).ok());
    let exception =
        flag(json, "exception").then(|| status.unwrap_or(if flag(json, "fault") { 500 } else { 400 }));
    Ok(Kind::Structure { members, exception })
}

fn members<'v>(json: &'v Value, name: &str) -> Result<&'v Object> {
    json.get(name).and_then(Value::as_object).with_context(|| format!("object {name}"))
}

fn text(json: &Value, name: &str) -> Result<String> {
    json.get(name).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("text {name}"))
}

fn flag(json: &Value, name: &str) -> bool {
    json.get(name).and_then(Value::as_bool).unwrap_or(false)
}
