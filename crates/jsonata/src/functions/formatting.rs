//! The functions whose work is done by [`crate::formats`]: pictures of numbers and of points in time.

use super::{argument, number_argument, text_argument};
use crate::evaluate::Evaluator;
use crate::fault::{Fault, Result};
use crate::formats;
use crate::value::Val;

pub(super) fn format_number<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(value) = number_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let picture = text_argument(arguments, 1)?.ok_or_else(|| Fault::host("picture is not a string"))?;
    let options = argument(arguments, 2).members().map(|members| {
        let text = |(key, value): (crate::value::Text<'a>, Val<'a>)| {
            Some((key.as_str().to_owned(), value.as_str()?.to_owned()))
        };
        members.to_vec().into_iter().filter_map(text).collect::<Vec<_>>()
    });
    evaluator.meter.spend(picture.len() as u64)?;
    evaluator.text(formats::format_number(value, picture, options.as_deref())?)
}

pub(super) fn format_base<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(value) = number_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let radix = number_argument(arguments, 1)?.unwrap_or(10.0);
    if let (Some(Val::Int(int)), 10.0) = (arguments.first(), radix) {
        return evaluator.text(int.to_string());
    }
    evaluator.text(formats::format_base(value, radix)?)
}

pub(super) fn format_integer<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(value) = number_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let picture = text_argument(arguments, 1)?.ok_or_else(|| Fault::host("picture is not a string"))?;
    evaluator.meter.spend(picture.len() as u64)?;
    evaluator.text(formats::format_integer(value, picture)?)
}

pub(super) fn parse_integer<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let picture = text_argument(arguments, 1)?.ok_or_else(|| Fault::host("picture is not a string"))?;
    evaluator.meter.spend((text.len() + picture.len()) as u64)?;
    Ok(formats::parse_integer(text, picture)?.map_or(Val::Undefined, Val::number))
}

pub(super) fn to_millis<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(text) = text_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    let picture = text_argument(arguments, 1)?;
    evaluator.meter.spend((text.len() + picture.map_or(0, str::len)) as u64)?;
    Ok(formats::to_millis(text, picture, evaluator.now_ms)?.map_or(Val::Undefined, Val::number))
}

pub(super) fn from_millis<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let Some(millis) = number_argument(arguments, 0)? else { return Ok(Val::Undefined) };
    time_text(evaluator, millis, text_argument(arguments, 1)?, text_argument(arguments, 2)?)
}

pub(super) fn now<'a>(evaluator: &mut Evaluator<'a>, arguments: &[Val<'a>]) -> Result<Val<'a>> {
    let millis = evaluator.now_ms as f64;
    time_text(evaluator, millis, text_argument(arguments, 0)?, text_argument(arguments, 1)?)
}

fn time_text<'a>(
    evaluator: &mut Evaluator<'a>,
    millis: f64,
    picture: Option<&str>,
    timezone: Option<&str>,
) -> Result<Val<'a>> {
    evaluator.meter.spend(picture.map_or(0, str::len) as u64)?;
    evaluator.text(formats::from_millis(millis, picture, timezone)?)
}

pub(super) fn millis<'a>(evaluator: &mut Evaluator<'a>, _: &[Val<'a>]) -> Result<Val<'a>> {
    Ok(Val::Int(evaluator.now_ms))
}
