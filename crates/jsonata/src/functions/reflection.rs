//! Functions about values as such: `$boolean`, `$exists`, `$type`, `$error`, `$eval` and their kin.

use super::{argument, text_argument};
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result, json_string};
use crate::program::Program;
use crate::value::{List, OUTER_WRAPPER, SEQUENCE, Text, Val};

pub(super) fn boolean<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    match argument(arguments, 0) {
        Val::Undefined => Ok(Val::Undefined),
        value => Ok(Val::Bool(value.to_bool()?)),
    }
}

pub(super) fn not<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    match argument(arguments, 0) {
        Val::Undefined => Ok(Val::Undefined),
        value => Ok(Val::Bool(!value.to_bool()?)),
    }
}

pub(super) fn exists<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    Ok(Val::Bool(!argument(arguments, 0).is_undefined()))
}

pub(super) fn type_name<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let value = argument(arguments, 0);
    let name = match value {
        Val::Undefined => return Ok(Val::Undefined),
        Val::Null => "null",
        Val::Int(_) => "number",
        Val::Float(_) if value.is_numeric()? => "number",
        Val::Text(_) => "string",
        Val::Bool(_) => "boolean",
        Val::Array(_) | Val::List(_) => "array",
        Val::Function(_) => "function",
        _ => "object",
    };
    Ok(Val::Text(Text::Static(name)))
}

pub(super) fn error<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let message = text_argument(arguments, 0)?.filter(|message| !message.is_empty());
    Err(Fault::new("D3137").message(message.unwrap_or("$error() function evaluated").to_owned()))
}

pub(super) fn assert<'a>(_: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    if super::matching::is_truthy(&argument(arguments, 0)) {
        return Ok(Val::Undefined);
    }
    let message = text_argument(arguments, 1)?.filter(|message| !message.is_empty());
    Err(Fault::new("D3141").message(message.unwrap_or("$assert() statement failed").to_owned()))
}

pub(super) fn clone<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    evaluator.deep_copy(&argument(arguments, 0))
}

pub(super) fn nothing<'a>(_: &mut Evaluator<'a>, _: &[Val<'a>]) -> Result<Val<'a>> {
    Ok(Val::Undefined)
}

pub(super) fn eval<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let (context, env) = evaluator.site.take().unwrap_or((Val::Undefined, None));
    let Some(source) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let input = match argument(arguments, 1) {
        Val::Undefined => context,
        value if value.is_array() && !value.is_sequence() => {
            Val::List(List::new(vec![value], SEQUENCE | OUTER_WRAPPER, evaluator.meter)?)
        }
        value => value,
    };
    // Kept until the end of the evaluation.
    std::mem::forget(evaluator.meter.hold(source.len() * 64)?);
    let program = Program::compile_inner(source, evaluator.names().to_vec()).map_err(|fault| {
        let message = json_string(&fault.render());
        Fault::new("D3120").value(message)
    })?;
    let program = evaluator.arena.program(program);
    evaluator.evaluate_text(program, &input, &env).map_err(|fault| match fault.limit {
        true => fault,
        false => Fault::new("D3121").value(json_string(&fault.render())),
    })
}
