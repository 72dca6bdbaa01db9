//! State machines of a SAM or CloudFormation template, for those who judge definitions: where each one's definition stands.

use std::ops::Range;

use saphyr_parser::{Event, Parser, Span};

use super::template::TemplateError;
use super::yaml::{self, Node, YamlError};

/// What stands for a value that a deployment fills in.
const OPEN: &str = "\"${_}\"";
const DEPTH_MAX: usize = 100;

/// A state machine of a template.
#[derive(Debug, PartialEq, Eq)]
pub struct TemplateMachine {
    /// Its logical id.
    pub id: String,
    /// Whether its type is EXPRESS.
    pub is_express: bool,
    /// Its definition.
    pub definition: MachineDefinition,
}

/// Where a definition is.
#[derive(Debug, PartialEq, Eq)]
pub enum MachineDefinition {
    /// In the template: the template's text with everything else blank, so that places stay what they are. What a
    /// deployment fills in is `${_}`.
    Here(String),
    /// In a text of the template.
    Text(String),
    /// In a file, relative to the template.
    File(String),
    /// Where only a deployment finds it.
    Elsewhere,
}

/// The state machines of a template; `None` if the text is no template.
pub fn state_machines_in_template(text: &str) -> Result<Option<Vec<TemplateMachine>>, TemplateError> {
    let root = yaml::read(text)?;
    let resources = root.get("Resources").map(Node::members).unwrap_or_default();
    let is_template = root.get("StartAt").is_none()
        && resources.iter().any(|(_, resource)| resource.get("Type").and_then(Node::text).is_some());
    if !is_template {
        return Ok(None);
    }
    let places = places(text).map_err(TemplateError::from)?;
    let machines = resources.iter().filter_map(|(id, resource)| {
        let kind = resource.get("Type")?.text()?;
        if !matches!(kind, "AWS::Serverless::StateMachine" | "AWS::StepFunctions::StateMachine") {
            return None;
        }
        let properties = resource.get("Properties")?;
        let type_text = properties.get("Type").or_else(|| properties.get("StateMachineType"));
        Some(TemplateMachine {
            id: id.clone(),
            is_express: type_text.and_then(Node::text) == Some("EXPRESS"),
            definition: definition(text, id, properties, &places),
        })
    });
    Ok(Some(machines.collect()))
}

fn definition(text: &str, id: &str, properties: &Node, places: &[Place]) -> MachineDefinition {
    if let Some(place) = places.iter().find(|place| place.id == id)
        && properties.get("Definition").is_some_and(|definition| !definition.members().is_empty())
    {
        return MachineDefinition::Here(alone(text, place));
    }
    if let Some(path) = properties.get("DefinitionUri").and_then(Node::text)
        && !path.starts_with("s3://")
    {
        return MachineDefinition::File(path.to_owned());
    }
    match properties.get("DefinitionString") {
        Some(Node::Scalar(text)) => MachineDefinition::Text(text.clone()),
        Some(node) => match node.get("Fn::Sub") {
            Some(Node::Scalar(text)) => MachineDefinition::Text(text.clone()),
            Some(Node::List(parts)) => match parts.first().and_then(Node::text) {
                Some(text) => MachineDefinition::Text(text.to_owned()),
                None => MachineDefinition::Elsewhere,
            },
            _ => MachineDefinition::Elsewhere,
        },
        None => MachineDefinition::Elsewhere,
    }
}

/// Where the definition of one state machine stands. Bytes.
struct Place {
    id: String,
    bytes: Range<usize>,
    /// Parts of it that a deployment fills in.
    open: Vec<Range<usize>>,
}

/// The template's text with everything but the definition blank.
fn alone(text: &str, place: &Place) -> String {
    let blank = |out: &mut String, part: &str| {
        out.extend(
            part.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' }),
        );
    };
    let mut out = String::with_capacity(text.len());
    blank(&mut out, text.get(..place.bytes.start).unwrap_or_default());
    let mut at = place.bytes.start;
    for open in &place.open {
        out.push_str(text.get(at..open.start).unwrap_or_default());
        let filled = text.get(open.clone()).unwrap_or_default();
        if filled.len() >= OPEN.len() && !filled.get(..OPEN.len()).is_none_or(|first| first.contains('\n')) {
            out.push_str(OPEN);
            blank(&mut out, filled.get(OPEN.len()..).unwrap_or_default());
        } else {
            out.push_str(filled);
        }
        at = open.end;
    }
    out.push_str(text.get(at..place.bytes.end).unwrap_or_default());
    blank(&mut out, text.get(place.bytes.end..).unwrap_or_default());
    out
}

/// A container that is not closed yet.
struct Open {
    is_map: bool,
    /// Of a mapping: the key whose value comes next.
    key: Option<String>,
    /// Where it begins, in characters.
    start: usize,
    /// Whether a deployment fills it in: `{Ref: …}`, `{Fn::Sub: …}`, `!Join […]`.
    is_open: bool,
}

/// Walks the template once and remembers where definitions stand.
fn places(text: &str) -> Result<Vec<Place>, YamlError> {
    let bytes_of: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let byte = |character: usize| bytes_of.get(character).copied().unwrap_or(text.len());
    let mut containers: Vec<Open> = Vec::new();
    let mut found: Vec<Place> = Vec::new();
    let mut current: Option<(Place, usize)> = None;
    for event in Parser::new_from_str(text) {
        let (event, span): (Event<'_>, Span) = event.map_err(|error| YamlError::Syntax(error.to_string()))?;
        let is_map = matches!(event, Event::MappingStart(..));
        match event {
            Event::Scalar(value, ..) => {
                let Some(container) = containers.last_mut().filter(|container| container.is_map) else {
                    continue;
                };
                if container.key.take().is_none() {
                    container.is_open |= value == "Ref" || value.starts_with("Fn::");
                    container.key = Some(value.into_owned());
                }
            }
            Event::Alias(_) => {
                if let Some(container) = containers.last_mut() {
                    container.key = None;
                }
            }
            Event::MappingStart(_, tag) | Event::SequenceStart(_, tag) if containers.len() < DEPTH_MAX => {
                let start = span.start.index();
                if let Some(id) = machine_id(&containers).filter(|_| current.is_none()) {
                    let place = Place { id, bytes: byte(start)..0, open: Vec::new() };
                    current = Some((place, containers.len()));
                }
                let is_open = tag.is_some_and(|tag| tag.handle == "!");
                containers.push(Open { is_map, key: None, start, is_open });
            }
            Event::MappingStart(..) | Event::SequenceStart(..) => return Err(YamlError::TooLarge),
            Event::MappingEnd | Event::SequenceEnd => {
                let Some(closed) = containers.pop() else { continue };
                let end = byte(span.end.index());
                let is_inside_open = containers.iter().any(|container| container.is_open);
                if let Some((place, depth)) = &mut current {
                    if *depth == containers.len() {
                        place.bytes.end = end;
                        found.extend(current.take().map(|(place, _)| place));
                    } else if closed.is_open && !is_inside_open {
                        place.open.push(byte(closed.start)..end);
                    }
                }
                if let Some(container) = containers.last_mut() {
                    container.key = None;
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The state machine whose definition comes next, if one does.
fn machine_id(containers: &[Open]) -> Option<String> {
    let keys: Vec<&str> = containers.iter().filter_map(|container| container.key.as_deref()).collect();
    match keys.as_slice() {
        ["Resources", id, "Properties", "Definition"] if containers.len() == 4 => Some((*id).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "\
# ä template
Resources:
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      Definition:
        StartAt: A
        States:
          A:
            Type: Task
            Resource: !GetAtt Greet.Arn
            Parameters: {Name: {Ref: Stage}, List: !Split [\",\", x]}
            End: true
      Role: arn:aws:iam::123456789012:role/x
  ByFile:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: orders.asl.json}
  ByText:
    Type: AWS::StepFunctions::StateMachine
    Properties: {DefinitionString: !Sub '{\"StartAt\": \"A\"}'}
  InS3:
    Type: AWS::StepFunctions::StateMachine
    Properties: {DefinitionS3Location: {Bucket: b, Key: k}}
  Greet:
    Type: AWS::Serverless::Function
";

    #[test]
    fn machines_of_yaml() {
        let machines = state_machines_in_template(YAML).expect("a template").expect("a template");
        let [orders, file, text, s3] = machines.as_slice() else { panic!("{machines:?}") };
        assert!(orders.is_express && !file.is_express);
        let MachineDefinition::Here(alone) = &orders.definition else { panic!("{orders:?}") };
        assert_eq!(alone.len(), YAML.len());
        assert_eq!(alone.find("StartAt: A"), YAML.find("StartAt: A"));
        for gone in ["Resources:", "Role:", "ByFile", "Definition"] {
            assert!(!alone.contains(gone), "{gone} in {alone}");
        }
        assert!(alone.contains("{Name: \"${_}\"") && alone.contains("End: true"), "{alone}");
        assert!(alone.contains("Greet.Arn"), "{alone}");
        assert_eq!(file.definition, MachineDefinition::File("orders.asl.json".to_owned()));
        assert_eq!(text.definition, MachineDefinition::Text("{\"StartAt\": \"A\"}".to_owned()));
        assert_eq!(s3.definition, MachineDefinition::Elsewhere);
    }

    #[test]
    fn machines_of_json() {
        let text = r#"{"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"Definition": {
            "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": {"Fn::GetAtt": ["F", "Arn"]}, "End": true}}}}}}}"#;
        let machines = state_machines_in_template(text).expect("a template").expect("a template");
        let MachineDefinition::Here(alone) = &machines[0].definition else { panic!("{machines:?}") };
        let expected =
            r#"{ "StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${_}", "End": true}}}"#;
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(squeezed(alone), squeezed(expected));
    }

    #[test]
    fn other_texts() {
        for text in ["{\"StartAt\": \"A\", \"States\": {}}", "StartAt: A", "[]", "x", "", "Resources: {a: 1}"]
        {
            assert_eq!(state_machines_in_template(text).expect("YAML"), None, "{text}");
        }
        assert!(state_machines_in_template(&"[".repeat(1000)).is_err());
    }
}
