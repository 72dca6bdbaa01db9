//! `Retry`: which retrier takes a failure, and how long it waits.

use stepwright_asl::program::Retrier;
use stepwright_types::error_name;

use crate::fault::StateFailure;

/// The retrier that takes the failure, by its place, used up or not.
pub(crate) fn choose<'p>(retriers: &'p [Retrier], failure: &StateFailure) -> Option<(usize, &'p Retrier)> {
    retriers.iter().enumerate().find(|(_, retrier)| matches_any(&retrier.error_equals, failure))
}

/// How long the retrier waits before its next attempt, in milliseconds; `used` counts its attempts so far.
pub(crate) fn delay_ms(retrier: &Retrier, used: u32, entropy: &mut dyn FnMut() -> u64) -> i64 {
    let full_s = interval_s(retrier, used);
    let seconds = if retrier.jitter {
        // 53 random bits make a uniform number in [0, 1).
        full_s * ((entropy() >> 11) as f64 / (1_u64 << 53) as f64)
    } else {
        full_s
    };
    (seconds * 1000.0).round() as i64
}

/// The interval without jitter, in seconds.
pub(crate) fn interval_s(retrier: &Retrier, used: u32) -> f64 {
    let exponent = i32::try_from(used).unwrap_or(i32::MAX);
    let grown = retrier.interval_s as f64 * retrier.backoff_rate.powi(exponent);
    let bound = retrier.max_delay_s.map_or(f64::from(u32::MAX), |seconds| seconds as f64);
    grown.min(bound)
}

/// What `States.TaskFailed` does not stand for: a task that was too slow, and the evaluation of a state's own fields.
const NO_TASK_FAILURES: [&str; 3] =
    [error_name::TIMEOUT, error_name::HEARTBEAT_TIMEOUT, error_name::QUERY_EVALUATION_ERROR];

/// Whether a failure is among the names of an `ErrorEquals`.
pub(crate) fn matches_any(error_equals: &[std::sync::Arc<str>], failure: &StateFailure) -> bool {
    let name = failure.failure.name();
    if name == error_name::RUNTIME {
        // Never retried, never caught.
        return false;
    }
    error_equals.iter().any(|wanted| match &**wanted {
        error_name::ALL => failure.wildcard,
        error_name::TASK_FAILED => failure.wildcard && !NO_TASK_FAILURES.contains(&name),
        error_name::TIMEOUT => name == error_name::TIMEOUT || name == error_name::HEARTBEAT_TIMEOUT,
        wanted => wanted == name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Failure;

    fn retrier(interval_s: i64, backoff_rate: f64, max_delay_s: Option<i64>, jitter: bool) -> Retrier {
        Retrier { error_equals: vec![], interval_s, max_attempts: 3, backoff_rate, max_delay_s, jitter }
    }

    #[test]
    fn delays() {
        let cases = [
            (retrier(1, 2.0, None, false), 0, 1_000),
            (retrier(1, 2.0, None, false), 3, 8_000),
            (retrier(3, 1.5, None, false), 2, 6_750),
            (retrier(1, 2.0, Some(5), false), 4, 5_000),
            (retrier(2, 2.0, None, true), 0, 1_000),
        ];
        for (retrier, used, expected) in cases {
            assert_eq!(delay_ms(&retrier, used, &mut || 1 << 63), expected, "{retrier:?}");
        }
        assert!(delay_ms(&retrier(99_999_999, 10.0, None, false), u32::MAX, &mut || 0) > 0);
    }

    #[test]
    fn names() {
        let cases = [
            ("Mine", "Mine", true),
            ("Mine", "Other", false),
            ("States.ALL", "Mine", true),
            ("States.ALL", "", true),
            ("States.ALL", "States.Runtime", false),
            ("States.Runtime", "States.Runtime", false),
            ("States.TaskFailed", "Mine", true),
            ("States.TaskFailed", "States.TaskFailed", true),
            ("States.TaskFailed", "States.Timeout", false),
            ("States.TaskFailed", "States.HeartbeatTimeout", false),
            ("States.TaskFailed", "States.QueryEvaluationError", false),
            ("States.ALL", "States.QueryEvaluationError", true),
            ("States.Timeout", "States.HeartbeatTimeout", true),
            ("States.HeartbeatTimeout", "States.Timeout", false),
        ];
        for (wanted, name, expected) in cases {
            let failure = StateFailure::plain(Failure { error: Some(name.into()), cause: None });
            assert_eq!(matches_any(&[wanted.into()], &failure), expected, "{wanted} {name}");
        }
        let terminal = StateFailure::too_large("S");
        assert!(!matches_any(&["States.ALL".into()], &terminal));
        assert!(matches_any(&["States.DataLimitExceeded".into()], &terminal));
    }
}
