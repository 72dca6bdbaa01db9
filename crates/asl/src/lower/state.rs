//! What all states have.

use std::sync::Arc;

use stepwright_jsonpath::{Path, ReferencePath};
use stepwright_value::Document;

use super::{Lowered, Scope, choice, fail, map, retry, task, template, wait};
use crate::fields::StateType;
use crate::node::Node;
use crate::program::{FlowId, Kind, Parallel, Pass, PathField, QueryLanguage, ResultPath, State};

pub(super) fn lower(mut scope: Scope<'_, '_>) -> Lowered<State> {
    let view = scope.state;
    let kind = kind(&mut scope)?;
    let transition = scope.transition()?;
    let jsonpath = view.language == QueryLanguage::JsonPath;
    let arguments = if jsonpath { "Parameters" } else { "Arguments" };
    // A Map's Parameters are the old name of its ItemSelector.
    let arguments = if view.kind == Some(StateType::Map) { "" } else { arguments };
    let input_path = path_field("InputPath", &mut scope)?;
    let arguments = template::optional(arguments, &mut scope)?;
    let result_selector = template::optional(if jsonpath { "ResultSelector" } else { "" }, &mut scope)?;
    let result_path = match view.node.get("ResultPath").filter(|_| jsonpath) {
        Some(node) => result_path(node, &mut scope)?,
        None => ResultPath::Whole,
    };
    let output_path = path_field("OutputPath", &mut scope)?;
    let output = template::optional(if jsonpath { "" } else { "Output" }, &mut scope)?;
    let assign = template::optional("Assign", &mut scope)?;
    let retry = retry::retriers(&scope);
    let catch = retry::catchers(&mut scope)?;
    Ok(State {
        name: view.name.clone(),
        flow: view.flow,
        pointer: view.pointer.as_str().into(),
        language: view.language,
        kind,
        transition,
        input_path,
        arguments,
        result_selector,
        result_path,
        output_path,
        output,
        assign,
        retry,
        catch,
        variable_references: scope.variables.into_iter().collect(),
    })
}

fn kind(scope: &mut Scope<'_, '_>) -> Lowered<Kind> {
    Ok(match scope.state.kind {
        Some(StateType::Pass) => {
            Kind::Pass(Pass { result: scope.get("Result").map(|node| Document::from(node.to_value())) })
        }
        Some(StateType::Task) => Kind::Task(Box::new(task::lower(scope)?)),
        Some(StateType::Choice) => Kind::Choice(choice::lower(scope)?),
        Some(StateType::Wait) => Kind::Wait(wait::lower(scope)?),
        Some(StateType::Succeed) => Kind::Succeed,
        Some(StateType::Fail) => Kind::Fail(Box::new(fail::lower(scope)?)),
        Some(StateType::Parallel) => Kind::Parallel(Parallel { branches: scope.state.flows.clone() }),
        Some(StateType::Map) => Kind::Map(Box::new(map::lower(scope)?)),
        None => return Err(scope.failed("The state's Type", scope.state.node)),
    })
}

/// A state that is only a name.
pub(super) fn placeholder(name: Arc<str>) -> State {
    State {
        pointer: format!("/States/{name}").into(),
        name,
        flow: FlowId(0),
        language: QueryLanguage::JsonPath,
        kind: Kind::Succeed,
        transition: None,
        input_path: PathField::Whole,
        arguments: None,
        result_selector: None,
        result_path: ResultPath::Whole,
        output_path: PathField::Whole,
        output: None,
        assign: None,
        retry: Vec::new(),
        catch: Vec::new(),
        variable_references: Vec::new(),
    }
}

fn path_field(name: &str, scope: &mut Scope<'_, '_>) -> Lowered<PathField> {
    if scope.state.language == QueryLanguage::Jsonata {
        return Ok(PathField::Whole);
    }
    let Some(node) = scope.get(name) else { return Ok(PathField::Whole) };
    match node.as_str() {
        None => Ok(PathField::Empty),
        Some("$") => Ok(PathField::Whole),
        Some(_) => Ok(path(node, scope)?.map_or(PathField::Whole, PathField::Path)),
    }
}

/// The path in `node`; `None` for one that is not known yet.
pub(super) fn path(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<Option<Path>> {
    let text = node.as_str().unwrap_or_default();
    match Path::parse(text) {
        Ok(path) => {
            scope.variables.extend(path.variable().map(Arc::from));
            Ok(Some(path))
        }
        Err(_) if scope.options.is_open(text) => Ok(None),
        Err(_) => Err(scope.failed("The path", node)),
    }
}

pub(super) fn result_path(node: &Node, scope: &mut Scope<'_, '_>) -> Lowered<ResultPath> {
    match node.as_str() {
        None => Ok(ResultPath::Discard),
        Some("$") => Ok(ResultPath::Whole),
        Some(text) => match ReferencePath::parse(text) {
            Ok(path) => Ok(ResultPath::Path(path)),
            Err(_) if scope.options.is_open(text) => Ok(ResultPath::Whole),
            Err(_) => Err(scope.failed("ResultPath", node)),
        },
    }
}
