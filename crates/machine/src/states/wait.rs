//! Wait: nothing happens until a time.

use stepwright_asl::program::{QueryLanguage, Setting, State, Wait};
use stepwright_types::timestamp;
use stepwright_value::Value;

use crate::event::{BranchId, EventBody};
use crate::fault::{Fault, Trouble};
use crate::scene::{Computed, Scene};
use crate::stages;
use crate::states::numbers;
use crate::turn::Turn;

/// AWS refuses a time that is further away than this; measured at the service: 24,855 days are accepted, which is what
/// 31 bits of seconds hold.
const DELAY_S_MAX: i64 = i32::MAX as i64;

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State, wait: &Wait) -> Result<(), Trouble> {
    let due_ms = match due_ms(turn, id, state, wait) {
        Ok(due_ms) => due_ms,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    if due_ms <= turn.now_ms {
        return finish(turn, id);
    }
    let timer = turn.new_timer(due_ms.saturating_sub(turn.now_ms));
    turn.emit(id, EventBody::WaitScheduled { timer })?;
    turn.want_timer(Some(timer));
    Ok(())
}

/// The time has come.
pub(crate) fn finish(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let state = program.state(turn.branch(id)?.state);
    let outcome = turn.scene_of(id, state).and_then(|mut scene| stages::pass_on(&mut scene));
    match outcome {
        Ok((output, assigned)) => turn.leave(id, state, output, assigned),
        Err(fault) => Err(turn.fail_in(id, state, fault)),
    }
}

fn due_ms(turn: &mut Turn<'_>, id: BranchId, state: &State, wait: &Wait) -> Result<i64, Fault> {
    let now_ms = turn.now_ms;
    let mut scene = turn.scene_of(id, state)?;
    let due_ms = match wait {
        Wait::Seconds(setting) => now_ms.saturating_add(seconds(&mut scene, setting)?.saturating_mul(1000)),
        Wait::Timestamp(setting) => moment(&mut scene, setting)?,
    };
    if due_ms.saturating_sub(now_ms) / 1000 > DELAY_S_MAX {
        return Err(Fault::runtime("Wait state delay is too long."));
    }
    Ok(due_ms)
}

/// What `SecondsPath` and `TimestampPath` select from: the state's input after `InputPath`.
fn input_of(scene: &mut Scene<'_>) -> Result<Value, Fault> {
    match scene.state.language {
        QueryLanguage::JsonPath => Ok(stages::effective_input(scene)?.value().clone()),
        QueryLanguage::Jsonata => Ok(Value::Null),
    }
}

fn seconds(scene: &mut Scene<'_>, setting: &Setting<i64>) -> Result<i64, Fault> {
    let input = input_of(scene)?;
    let computed = scene.setting(setting, &input, |path, field, _| {
        format!("The {field} parameter does not reference an input value: {}", path.text())
    })?;
    let whole = |value: &Value| value.as_number().and_then(|number| number.as_whole_i64());
    let seconds = match &computed {
        Computed::Literal(seconds) => Some(**seconds),
        // AWS takes a number that is written as text as well.
        Computed::Path(value, ..) => whole(value).or_else(|| value.as_str()?.parse().ok()),
        Computed::Expression(value, ..) => whole(value),
    };
    match (seconds, &computed) {
        (Some(seconds), Computed::Expression(_, _, field)) => numbers::within_bounds(scene, field, seconds),
        (Some(seconds), _) if seconds >= 0 => Ok(seconds),
        (Some(seconds), Computed::Path(_, path, field)) => Err(Fault::runtime(format!(
            "The {field} parameter references a negative value: {path} == {seconds}"
        ))),
        (None, Computed::Expression(Value::Number(number), _, field)) => {
            Err(numbers::no_integer(field, number))
        }
        _ => Err(computed.wrong_type("number", |field, path, value| {
            format!("The {field} parameter cannot be parsed as a long value: {path} == {}", shown(value))
        })),
    }
}

fn moment(scene: &mut Scene<'_>, setting: &Setting<i64>) -> Result<i64, Fault> {
    let input = input_of(scene)?;
    let computed = scene.setting(setting, &input, |path, field, _| {
        format!("The {field} parameter does not reference an input value: {}", path.text())
    })?;
    match &computed {
        Computed::Literal(ms) => Ok(**ms),
        Computed::Path(Value::String(text), path, field) => {
            timestamp::from_offset_date_time(text).ok_or_else(|| Fault::runtime(not_a_moment(field, path, text)))
        }
        Computed::Expression(Value::String(text), _, field) => timestamp::from_offset_date_time(text).ok_or_else(|| {
            let detail = format!(
                "The {field} field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}"
            );
            Fault::query(Some(field), detail)
        }),
        _ => Err(computed
            .wrong_type("string", |field, path, value| not_a_moment(field, path, &shown(value)))),
    }
}

fn not_a_moment(field: &str, path: &str, value: &str) -> String {
    format!(
        "The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string: \
         {path} == {value}"
    )
}

/// A value in a message: text without quotes.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}
