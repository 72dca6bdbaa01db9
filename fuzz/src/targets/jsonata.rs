//! JSONata in AWS's mode, within AWS's limits of depth and memory and a small one of steps, and in jsonata-js's mode.

use stepwright_jsonata::{Bindings, Environment, Expression, Limits};
use stepwright_value::read;

/// So that an endless program ends in a moment.
const FUEL_MAX: u64 = 1_000_000;

pub fn run(data: &[u8]) {
    let Some(source) = super::text(data, 1 << 13) else { return };
    let Ok(expression) = Expression::compile(source) else { return };
    let _ = expression.aws_refusals();
    assert_eq!(expression.source(), source);
    let input =
        r#"{"input":{"n":3,"s":"Ada","tags":["x","y"],"items":[{"id":1,"price":5},{"id":2,"price":3.5}]}}"#;
    let Ok(states) = read(input) else { return };
    let limits = Limits { fuel_max: FUEL_MAX, ..Limits::aws() };
    let mut random = || 0x0123_4567_89AB_CDEF;
    let mut environment = Environment { now_ms: 1_767_225_600_000, random: &mut random, goes_on: &|| true };
    let bindings = [("states", &states)];
    if let Ok(Some(value)) = expression.evaluate(&Bindings::new(&bindings), &mut environment, &limits) {
        let text = value.to_json();
        assert!(read(&text).is_ok(), "{text:.200} is no JSON");
    }
    let _ = expression.evaluate_with(Some(&states), &Bindings::empty(), &mut environment, &limits);
}
