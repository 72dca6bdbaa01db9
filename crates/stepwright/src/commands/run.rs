//! `stepwright run`: one execution in this process, shown as it runs. Nothing is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use stepwright_asl::program::Program;
use stepwright_asl::{CompileOptions, Severity, diagnose};
use stepwright_engine::{Clock, DeliverError, Engine, SystemClock};
use stepwright_machine::Status;
use stepwright_types::arn::Account;
use stepwright_value::Document;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{Listen, MachineType, Run};
use crate::config::{self, Config, Overrides};
use crate::definition::{self, Definition};
use crate::diagnostics::Sheet;
use crate::exit::{Exit, Failure, OrExit};
use crate::function_output::{self, Follower};
use crate::input;
use crate::live::{self, Ended, Form, Live, Of};
use crate::local_service::{self, Circle, LocalService, Machine};
use crate::mocks::Mocked;
use crate::observed::Observed;
use crate::output;
use crate::pretty;
use crate::substitutions::Substitutions;
use crate::terminal::{Stream, TEXT_COLUMNS_MAX};
use crate::{unavailable, wiring};

/// Between two frames of the tree.
const FRAME: Duration = Duration::from_millis(80);
const NAME_CHARS_MAX: usize = 80;

pub fn run(arguments: Run) -> Result<Exit, Failure> {
    let substitutions = Substitutions::parse(&arguments.substitute).or_exit(Exit::Usage)?;
    let Some(machines) = machines(&arguments, &substitutions)? else { return Ok(Exit::Usage) };
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
        machines,
        name: arguments.name,
        form: form(arguments.json),
        input,
        mocks: arguments.mock,
        listen: arguments.listen,
        is_printed: !arguments.no_function_output && config.lambda.print.unwrap_or(true),
    };
    let exit = runtime.block_on(execute(job, &config));
    runtime.shutdown_background();
    exit
}

/// What is executed, and how it is shown.
struct Job {
    /// The one that is executed, and further ones.
    machines: Vec<Machine>,
    name: String,
    form: Form,
    input: Document,
    /// What states get instead of calling anything.
    mocks: Vec<String>,
    /// Where workers and holders of task tokens are let in.
    listen: Option<Listen>,
    /// Whether what functions print is shown.
    is_printed: bool,
}

/// Reads the definitions; none, when one has errors, which are shown.
fn machines(arguments: &Run, substitutions: &Substitutions) -> Result<Option<Vec<Machine>>, Failure> {
    let own = (machine_name(&arguments.definition), arguments.definition.clone(), arguments.r#type);
    let mut given = vec![own];
    for (flag, texts, machine_type) in [
        ("--machine", &arguments.machine, MachineType::Standard),
        ("--express-machine", &arguments.express_machine, MachineType::Express),
    ] {
        for text in texts {
            let (name, file) = named_file(flag, text).or_exit(Exit::Usage)?;
            if given.iter().any(|(other, ..)| *other == name) {
                return Err(anyhow!("{flag} {name}: there is a state machine of this name already"))
                    .or_exit(Exit::Usage);
            }
            given.push((name, file, machine_type));
        }
    }
    let mut machines = Vec::new();
    for (name, file, machine_type) in given {
        let mut definition = definition::read(&file)
            .map_err(|reason| anyhow!("{} {reason}", file.display()))
            .or_exit(Exit::Usage)?;
        definition.text = substitutions.fill(&definition.text);
        let Some(program) = compiled(&definition, machine_type) else { return Ok(None) };
        if let Some(line) =
            unavailable::line(&definition.name, &program).filter(|_| arguments.mock.is_empty())
        {
            output::tell(&line);
        }
        machines.push(Machine { name, definition, program, machine_type: machine_type.into() });
    }
    Ok(Some(machines))
}

/// `NAME=FILE`
fn named_file(flag: &str, text: &str) -> anyhow::Result<(String, PathBuf)> {
    let (name, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or_else(|| anyhow!("{flag} {text:?}: it is NAME=FILE"))?;
    check_name(name)?;
    Ok((name.to_owned(), PathBuf::from(file)))
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
    let [machine, ..] = &*job.machines else { return Ok(Exit::Usage) };
    let machine_arn = account.state_machine(&machine.name);
    let of = Of { machine_arn: machine_arn.clone(), name: job.name.clone() };
    let live = Arc::new(Live::new(job.form, machine.program.clone(), of, clock.now_ms()));
    live::log::start(live.clone());
    let observed = Arc::new(Observed::new(live.clone()));
    let circle = Circle::new(wired.targets.clone());
    let programs: Vec<&Program> = job.machines.iter().map(|machine| &*machine.program).collect();
    let mocked = Mocked::parse(&job.mocks, &programs, circle.targets.clone()).or_exit(Exit::Usage)?;
    let options = local_service::Options {
        account,
        clock: clock.clone(),
        cores: super::cores(),
        circle,
        targets: Arc::new(mocked),
        observer: observed.clone(),
    };
    let service = LocalService::open(options).await.or_exit(Exit::CannotStart)?;
    service.create(&job.machines).await.or_exit(Exit::Usage)?;
    let server = match job.listen {
        Some(Listen(address)) => Some(service.listen(address).await.or_exit(Exit::CannotStart)?),
        None => None,
    };
    if let Some(server) = &server {
        live.reached_at(format!("http://{}", server.local_address()));
    }
    let mut watcher = Watcher {
        engine: &service.engine,
        live: &live,
        clock: &*clock,
        machine_arn: machine_arn.into(),
        name: &job.name,
        can_be_stopped: machine.machine_type == stepwright_asl::MachineType::Standard,
        signals,
        printed: job.is_printed.then(|| Follower::new(wired.functions.logs())),
    };
    let watched = watcher.watch(service.start(machine, &job.name, job.input.text())).await;
    watcher.show_printed();
    let has_ended = matches!(watched, Ok(Watched::Ended));
    let exit = conclude(watched, &live, &*clock, job.form);
    if has_ended {
        watcher.watch_nested(&observed).await;
    }
    output::tell(&observed.told());
    if let Some(server) = server {
        server.shut_down().await;
    }
    service.engine.shut_down();
    tokio::select! {
        () = wired.functions.shutdown() => {}
        () = watcher.signals.next() => {}
    }
    exit
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
    /// Those of EXPRESS state machines cannot.
    can_be_stopped: bool,
    signals: Signals,
    /// What functions print, where it is to be shown.
    printed: Option<Follower>,
}

impl Watcher<'_> {
    /// Starts the execution, and draws until it has ended. The first Ctrl-C stops the execution, the second the program.
    async fn watch(&mut self, start: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Watched> {
        let mut start = std::pin::pin!(start);
        let mut has_started = false;
        let mut frames = tokio::time::interval(FRAME);
        frames.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_stopping = false;
        loop {
            tokio::select! {
                biased;
                () = self.live.ended() => return Ok(Watched::Ended),
                started = &mut start, if !has_started => {
                    started?;
                    has_started = true;
                }
                reason = self.engine.failed() => return Err(anyhow!(reason)),
                () = self.signals.next() => {
                    if is_stopping || !self.can_be_stopped {
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

    /// Waits for executions that nobody waits for: as on AWS, they go on.
    async fn watch_nested(&mut self, observed: &Observed) {
        match observed.nested() {
            0 => return,
            1 => output::tell("1 execution that it started still runs; Ctrl-C ends it\n"),
            count => {
                output::tell(&format!("{count} executions that it started still run; Ctrl-C ends them\n"));
            }
        }
        loop {
            tokio::select! {
                biased;
                () = observed.nested_ended() => break,
                () = self.signals.next() => break,
                () = printed(&mut self.printed) => self.show_printed(),
            }
        }
        self.show_printed();
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
