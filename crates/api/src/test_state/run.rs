//! Takes the tested state to its end: with the mock, or with the world.

use std::sync::Arc;

use stepwright_engine::Engine;
use stepwright_machine::test_state::{Inspection, Progress, Setup, StateTest, Verdict};
use stepwright_machine::{Budget, ExecutionKind, Failure, Identity, Input, StepError, TaskCall};
use stepwright_types::{error_name, limit};

use super::Waiting;
use super::request::{Request, check_failure_count};
use crate::backend::TestStateError;

/// Runs the state to its end.
pub(super) async fn run(
    engine: &Engine,
    request: Request,
    waiting: Waiting,
) -> Result<(Verdict, Inspection), TestStateError> {
    let start_ms = engine.clock().now_ms();
    let identity = Arc::new(identity(engine, &request, start_ms));
    let configuration = &request.configuration;
    let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let setup = Setup {
        program: request.program.clone(),
        state: request.state,
        identity: identity.clone(),
        variables: request.variables,
        context: request.context,
        retries: count(configuration.retrier_retry_count).unwrap_or(0),
        failed_iterations: count(configuration.map_iteration_failure_count),
        reader_data: configuration.map_item_reader_data.as_deref().map(Into::into),
    };
    let until_ms = start_ms.saturating_add(limit::EXPRESS_DURATION_MS_MAX);
    let begin: Work = Box::new(move |test, entropy, budget| test.begin(start_ms, entropy, budget));
    let (mut test, mut progress) = step(engine, StateTest::new(setup, start_ms), until_ms, begin).await?;
    if let (Progress::Lines { iterations }, Some(failed)) =
        (&progress, configuration.map_iteration_failure_count)
        && *iterations > 0
    {
        check_failure_count(failed, *iterations)?;
    }
    let mut answer = request.answer.map(|answer| answer.0);
    loop {
        let now_ms = engine.clock().now_ms();
        let work: Work = match progress {
            Progress::Done(verdict) => return Ok((verdict, test.inspect())),
            Progress::Time => {
                let Some((timer, due_ms)) = test.next_timer() else { return Err(stuck()) };
                if waiting == Waiting::Real {
                    engine.clock().sleep_until(due_ms.min(until_ms)).await;
                    if due_ms > until_ms {
                        return Ok((timed_out(), test.inspect()));
                    }
                }
                let (input, at_ms) = (Input::TimerFired { timer }, due_ms.max(now_ms));
                Box::new(move |test, entropy, budget| test.receive(input, at_ms, entropy, budget))
            }
            waits => match (answer.take(), waits) {
                (Some(answer), _) => {
                    Box::new(move |test, entropy, budget| test.answer(answer, now_ms, entropy, budget))
                }
                (None, Progress::Call(call)) => {
                    let Some(input) = called(engine, *call, &identity, &test, until_ms).await else {
                        return Ok((timed_out(), test.inspect()));
                    };
                    let at_ms = engine.clock().now_ms();
                    Box::new(move |test, entropy, budget| test.receive(input, at_ms, entropy, budget))
                }
                (None, _) => return Err(stuck()),
            },
        };
        (test, progress) = step(engine, test, until_ms, work).await?;
    }
}

/// What happens to the tested state.
type Work = Box<
    dyn FnOnce(&mut StateTest, &mut dyn FnMut() -> u64, &dyn Budget) -> Result<Progress, StepError> + Send,
>;

/// Computes what may take long, without keeping others waiting.
async fn step(
    engine: &Engine,
    mut test: StateTest,
    until_ms: i64,
    work: Work,
) -> Result<(StateTest, Progress), TestStateError> {
    let entropy = engine.entropy().clone();
    let computed = engine.compute(until_ms, move |budget| {
        let progress = work(&mut test, &mut || entropy.next(), budget);
        (test, progress)
    });
    let (test, progress) = computed.await.map_err(|error| TestStateError::Internal(error.to_string()))?;
    match progress {
        Err(StepError::Interrupted) => Ok((test, Progress::Done(timed_out()))),
        progress => Ok((test, progress.map_err(internal)?)),
    }
}

/// What comes of the call, or of its deadline; `None` when the test's time is over.
async fn called(
    engine: &Engine,
    call: TaskCall,
    identity: &Identity,
    test: &StateTest,
    until_ms: i64,
) -> Option<Input> {
    let timer = test.next_timer().filter(|(_, due_ms)| *due_ms <= until_ms);
    let due_ms = timer.map_or(until_ms, |(_, due_ms)| due_ms);
    tokio::select! {
        input = engine.call_once(call, identity) => Some(input),
        () = engine.clock().sleep_until(due_ms) => timer.map(|(timer, _)| Input::TimerFired { timer }),
    }
}

/// AWS: a test runs for five minutes at most.
fn timed_out() -> Verdict {
    Verdict::Failed(Failure { error: Some(error_name::TIMEOUT.into()), cause: None })
}

fn internal(error: StepError) -> TestStateError {
    TestStateError::Internal(error.to_string())
}

/// The state waits for something that only a mock can give; `request` has seen to that.
fn stuck() -> TestStateError {
    TestStateError::Internal("the tested state waits for something that cannot come".to_owned())
}

/// AWS: the test is an EXPRESS execution of a state machine of its own.
fn identity(engine: &Engine, request: &Request, start_ms: i64) -> Identity {
    let account = engine.account();
    let (machine, name) = (engine.entropy().uuid(), engine.entropy().uuid());
    let machine_arn = account.state_machine(&machine);
    Identity {
        execution_arn: format!("{}:{name}", machine_arn.replace(":stateMachine:", ":express:")).into(),
        execution_name: name.as_str().into(),
        machine_arn: machine_arn.into(),
        machine_name: machine.into(),
        role_arn: request.role_arn.as_deref().unwrap_or_default().into(),
        start_ms,
        input: request.input.clone(),
        kind: ExecutionKind::Express,
        account: account.clone(),
        locator: "".into(),
    }
}
