//! `stepwright run`: one execution in this process, shown as it runs. Nothing is kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use stepwright_asl::program::Program;
use stepwright_asl::{CompileOptions, Severity, diagnose};
use stepwright_engine::{
    Clock, Definitions, DeliverError, Engine, EngineOptions, Entropy, Revision, StartExecution, SystemClock,
};
use stepwright_machine::Status;
use stepwright_store::memory::Memory;
use stepwright_store::{Pending, StoreError};
use stepwright_types::arn::Account;
use stepwright_value::Document;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::child_failures::Observed;
use crate::cli::{MachineType, Run};
use crate::config::{self, Config, Overrides};
use crate::definition::{self, Definition};
use crate::diagnostics::Sheet;
use crate::exit::{Exit, Failure, OrExit};
use crate::function_output::{self, Follower};
use crate::input;
use crate::live::{self, Ended, Form, Live};
use crate::mocks::Mocked;
use crate::output;
use crate::pretty;
use crate::substitutions::Substitutions;
use crate::terminal::{Stream, TEXT_COLUMNS_MAX};
use crate::{unavailable, wiring};

/// Task calls at a time.
const CALLS_MAX: usize = 1_000;
/// Between two frames of the tree.
const FRAME: Duration = Duration::from_millis(80);
const REVISION: &str = "run";
const NAME_CHARS_MAX: usize = 80;

pub fn run(arguments: Run) -> Result<Exit, Failure> {
    let mut definition = definition::read(&arguments.definition)
        .map_err(|reason| anyhow!("{} {reason}", arguments.definition.display()))
        .or_exit(Exit::Usage)?;
    let substitutions = Substitutions::parse(&arguments.substitute).or_exit(Exit::Usage)?;
    definition.text = substitutions.fill(&definition.text);
    let Some(program) = compiled(&definition, arguments.r#type) else { return Ok(Exit::Usage) };
    if let Some(line) = unavailable::line(&definition.name, &program).filter(|_| arguments.mock.is_empty()) {
        output::tell(&line);
    }
    let input = match input::read(&arguments.input, Stream::Error.ability()) {
        Ok(input) => input,
        Err(shown) => {
            output::tell(&shown);
            return Ok(Exit::Usage);
        }
    };
    check_name(&arguments.name).or_exit(Exit::Usage)?;
    let overrides =
        Overrides { config: arguments.config, template: arguments.template, ..Overrides::default() };
    let config = config::load(overrides).or_exit(Exit::Usage)?;
    let runtime = super::runtime()?;
    let job = Job {
        machine: machine_name(&arguments.definition),
        name: arguments.name,
        form: form(arguments.json),
        definition,
        program,
        input,
        mocks: arguments.mock,
        is_printed: !arguments.no_function_output && config.lambda.print.unwrap_or(true),
    };
    let exit = runtime.block_on(execute(job, &config));
    runtime.shutdown_background();
    exit
}

/// What is executed, and how it is shown.
struct Job {
    machine: String,
    name: String,
    form: Form,
    definition: Definition,
    program: Arc<Program>,
    input: Document,
    /// What states get instead of calling anything.
    mocks: Vec<String>,
    /// Whether what functions print is shown.
    is_printed: bool,
}

fn form(json: bool) -> Form {
    let ability = Stream::Error.ability();
    match (json, ability.can_redraw) {
        (true, _) => Form::Json,
        (false, true) => Form::Tree(ability.theme),
        (false, false) => Form::Lines,
    }
}

/// The program; or none, and the errors shown.
fn compiled(definition: &Definition, machine_type: MachineType) -> Option<Arc<Program>> {
    let machine_type = machine_type.into();
    let options = CompileOptions { format: definition.format, machine_type, ..CompileOptions::default() };
    let compilation = diagnose(&definition.text, &options);
    if compilation.program.is_none() {
        let ability = Stream::Error.ability();
        let columns = if ability.is_terminal { Stream::Error.size().columns } else { TEXT_COLUMNS_MAX };
        let sheet = Sheet::new(&definition.name, &definition.text);
        for diagnostic in compilation.diagnostics.iter().filter(|it| it.severity == Severity::Error) {
            output::tell(&sheet.draw(diagnostic, ability, columns));
        }
        output::tell(&format!("{} cannot be executed\n", definition.name));
        let missing = Substitutions::missing(&definition.text);
        if !missing.is_empty() {
            let missing: Vec<String> = missing.iter().map(|name| format!("--substitute {name}=…")).collect();
            output::tell(&format!("values are missing: {}\n", missing.join(" ")));
        }
    }
    compilation.program
}

/// The file's name up to its first dot, with what a state machine's name cannot have replaced.
fn machine_name(path: &Path) -> String {
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let name: String =
        stem.chars().take(NAME_CHARS_MAX).map(|it| if is_name_character(it) { it } else { '-' }).collect();
    if name.trim_matches('-').is_empty() { "workflow".to_owned() } else { name }
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_".contains(character)
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let fits = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(is_name_character);
    fits.then_some(()).ok_or_else(|| {
        anyhow!("the name {name:?} cannot be used: up to {NAME_CHARS_MAX} letters, digits, - and _")
    })
}

async fn execute(job: Job, config: &Config) -> Result<Exit, Failure> {
    // From here on Ctrl-C stops the execution, not the program.
    let signals = Signals::listen().or_exit(Exit::CannotStart)?;
    let wired =
        wiring::wire(config.functions.clone(), &config.lambda, &config.region).or_exit(Exit::Usage)?;
    super::warn(config, &wired);
    let account = Arc::new(Account::new(&*config.region, &*config.account_id));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let execution_arn = account.execution(&job.machine, &job.name);
    let live = Arc::new(Live::new(job.form, job.program.clone(), execution_arn.clone(), clock.now_ms()));
    live::log::start(live.clone());
    let observed = Arc::new(Observed::new(live.clone(), execution_arn));
    let mocked = Mocked::parse(&job.mocks, &job.definition, wired.targets.clone()).or_exit(Exit::Usage)?;
    let engine = Engine::open(EngineOptions {
        store: Memory::new(),
        definitions: Arc::new(OneDefinition(job.definition.text.clone())),
        targets: Arc::new(mocked),
        clock: clock.clone(),
        entropy: Arc::new(Entropy::from_system()),
        account: account.clone(),
        calls_max: CALLS_MAX,
        cores: Some(super::cores()),
        limits: Vec::new(),
        snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
        retention: stepwright_engine::retention::Retention::default(),
        observer: Some(observed.clone()),
        history_log: None,
    })
    .await
    .or_exit(Exit::CannotStart)?;
    let start = StartExecution {
        revision: Revision {
            machine_arn: account.state_machine(&job.machine).into(),
            revision_id: REVISION.into(),
            role_arn: format!("arn:{}:iam::{}:role/stepwright-run", account.partition, account.account_id)
                .into(),
            definition: Some(job.definition.text.as_str().into()),
        },
        name: Some(job.name.as_str().into()),
        input: job.input.clone(),
        trace_header: None,
        version_arn: None,
        alias_arn: None,
        started_by: None,
    };
    let machine_arn = start.revision.machine_arn.clone();
    let printed = job.is_printed.then(|| Follower::new(wired.functions.logs()));
    let mut watcher = Watcher {
        engine: &engine,
        live: &live,
        clock: &*clock,
        machine_arn,
        name: &job.name,
        signals,
        printed,
    };
    let watched = match engine.start(start).await {
        Ok(_) => watcher.watch().await,
        Err(error) => Err(error.into()),
    };
    watcher.show_printed();
    let exit = conclude(watched, &live, &*clock, job.form);
    output::tell(&observed.told());
    engine.shut_down();
    tokio::select! {
        () = wired.functions.shutdown() => {}
        () = watcher.signals.next() => {}
    }
    exit
}

/// The one definition there is.
struct OneDefinition(String);

impl Definitions for OneDefinition {
    fn definition(&self, _: &str, _: &str) -> Pending<'_, Result<Option<String>, StoreError>> {
        Box::pin(std::future::ready(Ok(Some(self.0.clone()))))
    }
}

/// Ctrl-C, and the polite request to end.
struct Signals {
    interrupts: Signal,
    terminations: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupts: signal(SignalKind::interrupt())?,
            terminations: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupts.recv() => {}
            _ = self.terminations.recv() => {}
        }
    }
}

/// How the watching ended.
enum Watched {
    Ended,
    /// By a second Ctrl-C.
    Killed,
}

/// Who sits in front of the execution.
struct Watcher<'a> {
    engine: &'a Arc<Engine>,
    live: &'a Live,
    clock: &'a dyn Clock,
    machine_arn: Arc<str>,
    name: &'a str,
    signals: Signals,
    /// What functions print, where it is to be shown.
    printed: Option<Follower>,
}

impl Watcher<'_> {
    /// Draws until the execution has ended. The first Ctrl-C stops the execution, the second the program.
    async fn watch(&mut self) -> anyhow::Result<Watched> {
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_stopping = false;
        loop {
            tokio::select! {
                biased;
                () = self.live.ended() => return Ok(Watched::Ended),
                reason = self.engine.failed() => return Err(anyhow!(reason)),
                () = self.signals.next() => {
                    if is_stopping {
                        return Ok(Watched::Killed);
                    }
                    is_stopping = true;
                    self.live.stopping();
                    self.stop().await?;
                }
                () = printed(&mut self.printed) => self.show_printed(),
                _ = frames.tick() => {
                    self.live.draw(self.clock.now_ms());
                }
            }
        }
    }

    /// Shows what functions have printed since the last time.
    fn show_printed(&mut self) {
        let Some(printed) = &mut self.printed else { return };
        loop {
            let (lines, lost) = printed.lines();
            if lines.is_empty() {
                return;
            }
            self.live.note(&function_output::for_people(&lines, lost));
        }
    }

    /// `StopExecution`.
    async fn stop(&self) -> anyhow::Result<()> {
        let Some(found) = self.engine.find(&self.machine_arn, self.name).await? else { return Ok(()) };
        let cause = Some("Stopped by the user.".into());
        match self.engine.stop(found.row.key, None, cause).await {
            // It ended by itself a moment ago.
            Ok(_) | Err(DeliverError::Refused) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns when functions have printed something.
async fn printed(follower: &mut Option<Follower>) {
    match follower {
        Some(follower) => follower.news().await,
        None => std::future::pending().await,
    }
}

/// Shows the end, prints the output, and decides the exit status.
fn conclude(
    watched: anyhow::Result<Watched>,
    live: &Live,
    clock: &dyn Clock,
    form: Form,
) -> Result<Exit, Failure> {
    match watched {
        Ok(Watched::Ended) => {}
        Ok(Watched::Killed) => {
            live.close();
            return Ok(Exit::Negative);
        }
        Err(error) => {
            live.close();
            return Err(error).or_exit(Exit::StoreFailed);
        }
    }
    let Some(ended) = live.finish(clock.now_ms()) else {
        return Err(anyhow!("the execution has no end")).or_exit(Exit::StoreFailed);
    };
    if form != Form::Json {
        print_output(&ended)?;
    }
    live.written()?;
    Ok(if ended.status == Status::Succeeded { Exit::Success } else { Exit::Negative })
}

/// For people on a terminal, for programs in a pipe.
fn print_output(ended: &Ended) -> Result<(), Failure> {
    let Some(output) = &ended.output else { return Ok(()) };
    let is_terminal = Stream::Out.ability().is_terminal;
    let mut text = if is_terminal { pretty::json(output.value()) } else { output.value().to_json() };
    text.push('\n');
    output::write(&text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (path, expected) in [
            ("a/orders.asl.json", "orders"),
            ("my orders.json", "my-orders"),
            ("-", "workflow"),
            (".json", "workflow"),
        ] {
            assert_eq!(machine_name(Path::new(path)), expected, "{path}");
        }
        assert!(check_name("run-1").is_ok());
        for name in ["", "a b", "a:b", &"x".repeat(81)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
