//! `stepwright test-state`: one state, alone, with every stage of its data.

use std::sync::Arc;

use anyhow::anyhow;
use stepwright_api::model::{
    InspectionLevel, MockErrorOutput, MockInput, MockResponseValidationMode, TestExecutionStatus,
    TestStateConfiguration, TestStateInput, TestStateOutput,
};
use stepwright_api::test_state::{Options, Waiting, test_state};
use stepwright_asl::{CompileOptions, Severity, compile_state};
use stepwright_engine::{Definitions, Engine, EngineOptions, Entropy, SystemClock};
use stepwright_store::memory::Memory;
use stepwright_store::{Pending, StoreError};
use stepwright_types::arn::Account;
use stepwright_value::{Document, Value};

use crate::cli::{self, TestState};
use crate::config::{self, Config, Overrides};
use crate::definition::{self, Definition};
use crate::diagnostics::Sheet;
use crate::exit::{Exit, Failure, OrExit};
use crate::function_output::{self, Follower};
use crate::terminal::{Stream, TEXT_COLUMNS_MAX};
use crate::{input, output, pretty, stages, wiring};

pub fn run(arguments: TestState) -> Result<Exit, Failure> {
    let definition = definition::read(&arguments.definition)
        .map_err(|reason| anyhow!("{} {reason}", arguments.definition.display()))
        .or_exit(Exit::Usage)?;
    check_state(&definition, arguments.state.as_deref()).or_exit(Exit::Usage)?;
    if !is_sound(&definition, arguments.state.as_deref()) {
        return Ok(Exit::Usage);
    }
    let request = match request(&arguments, &definition) {
        Ok(request) => request,
        Err(shown) => {
            output::tell(&shown);
            return Ok(Exit::Usage);
        }
    };
    let overrides =
        Overrides { config: arguments.config, template: arguments.template, ..Overrides::default() };
    let config = config::load(overrides).or_exit(Exit::Usage)?;
    let runtime = super::runtime()?;
    let options = Options { waiting: Waiting::Skipped, format: definition.format };
    let answer = runtime.block_on(answer(request, options, &config));
    runtime.shutdown_background();
    show(&answer?, arguments.json)
}

/// The state, if there is one of the name; with suggestions otherwise.
fn check_state(definition: &Definition, state: Option<&str>) -> anyhow::Result<()> {
    let Some(state) = state else { return Ok(()) };
    let names = definition::state_names(definition);
    if names.is_empty() || names.iter().any(|name| name == state) {
        return Ok(());
    }
    let hint = crate::suggestions::hint(state, names.iter().map(String::as_str));
    Err(anyhow!("{} has no state {state:?}{hint}", definition.name))
}

/// Whether the state can be run; shows the errors otherwise.
fn is_sound(definition: &Definition, state: Option<&str>) -> bool {
    let options = CompileOptions { format: definition.format, ..CompileOptions::default() };
    let compiled = compile_state(&definition.text, state, &options);
    if compiled.compilation.program.is_some() {
        return true;
    }
    let ability = Stream::Error.ability();
    let columns = if ability.is_terminal { Stream::Error.size().columns } else { TEXT_COLUMNS_MAX };
    let sheet = Sheet::new(&definition.name, &definition.text);
    for diagnostic in compiled.compilation.diagnostics.iter().filter(|it| it.severity == Severity::Error) {
        output::tell(&sheet.draw(diagnostic, ability, columns));
    }
    output::tell(&format!("{} cannot be tested\n", definition.name));
    false
}

/// The request that the options make. The error is a text to print.
fn request(arguments: &TestState, definition: &Definition) -> Result<TestStateInput, String> {
    let document = |flag: &str, option: &Option<String>| match option {
        None => Ok(None),
        Some(option) => input::read_option(flag, option, Stream::Error.ability()).map(Some),
    };
    let text = |document: Option<Document>| document.map(|document| document.text().to_owned());
    let mock = document("--mock", &arguments.mock)?.map(|document| mock(&document)).transpose()?;
    let configuration = document("--state-configuration", &arguments.state_configuration)?;
    Ok(TestStateInput {
        definition: definition.text.clone(),
        // A role means nothing here; AWS wants one where something is called.
        role_arn: mock.is_none().then(|| "arn:aws:iam::000000000000:role/stepwright-test-state".to_owned()),
        input: text(Some(input::read(&arguments.input, Stream::Error.ability())?)),
        inspection_level: Some(match arguments.inspection_level {
            cli::InspectionLevel::Info => InspectionLevel::Info,
            cli::InspectionLevel::Debug => InspectionLevel::Debug,
            cli::InspectionLevel::Trace => InspectionLevel::Trace,
        }),
        reveal_secrets: None,
        variables: text(document("--variables", &arguments.variables)?),
        state_name: arguments.state.clone(),
        mock,
        context: text(document("--context", &arguments.context)?),
        state_configuration: configuration.map(|document| configuration_of(&document)).transpose()?,
    })
}

/// AWS's form where it is that, else the result itself.
fn mock(document: &Document) -> Result<MockInput, String> {
    const MEMBERS: [&str; 3] = ["result", "errorOutput", "fieldValidationMode"];
    let Some(form) = document.value().as_object().filter(|object| {
        !object.is_empty()
            && object.keys().all(|key| MEMBERS.contains(&&**key))
            && (object.contains_key("result") || object.contains_key("errorOutput"))
    }) else {
        return Ok(MockInput { result: Some(document.text().to_owned()), ..MockInput::default() });
    };
    // AWS's form has the result as JSON text; JSON itself is as good.
    let result =
        form.get("result").map(|result| result.as_str().map_or_else(|| result.to_json(), str::to_owned));
    let error_output = form.get("errorOutput").map(|output| {
        let text = |name: &str| output.get(name).and_then(Value::as_str).map(str::to_owned);
        MockErrorOutput { error: text("error"), cause: text("cause") }
    });
    let field_validation_mode = match form.get("fieldValidationMode").map(Value::as_str) {
        None => None,
        Some(Some("STRICT")) => Some(MockResponseValidationMode::Strict),
        Some(Some("PRESENT")) => Some(MockResponseValidationMode::Present),
        Some(Some("NONE")) => Some(MockResponseValidationMode::None),
        Some(_) => return Err("error: fieldValidationMode is STRICT, PRESENT or NONE\n".to_owned()),
    };
    Ok(MockInput { result, error_output, field_validation_mode })
}

fn configuration_of(document: &Document) -> Result<TestStateConfiguration, String> {
    let mut configuration = TestStateConfiguration::default();
    let wrong = |name: &str, wanted: &str| format!("error: --state-configuration: {name} is {wanted}\n");
    let Some(members) = document.value().as_object() else {
        return Err("error: --state-configuration is an object\n".to_owned());
    };
    for (name, value) in members.iter() {
        let count = || {
            let count =
                value.as_i64().and_then(|count| i32::try_from(count).ok()).filter(|count| *count >= 0);
            count.map(Some).ok_or_else(|| wrong(name, "a number"))
        };
        match &**name {
            "retrierRetryCount" => configuration.retrier_retry_count = count()?,
            "mapIterationFailureCount" => configuration.map_iteration_failure_count = count()?,
            "errorCausedByState" => {
                let state = value.as_str().ok_or_else(|| wrong(name, "a state's name"))?;
                configuration.error_caused_by_state = Some(state.to_owned());
            }
            "mapItemReaderData" => {
                let text = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
                configuration.map_item_reader_data = Some(text);
            }
            _ => return Err(wrong(name, "not a member of it")),
        }
    }
    Ok(configuration)
}

/// Runs the state.
async fn answer(
    request: TestStateInput,
    options: Options,
    config: &Config,
) -> Result<TestStateOutput, Failure> {
    let wired =
        wiring::wire(config.functions.clone(), &config.lambda, &config.region).or_exit(Exit::Usage)?;
    super::warn(config, &wired);
    let engine = Engine::open(EngineOptions {
        store: Memory::new(),
        definitions: Arc::new(NoDefinitions),
        targets: Arc::new(wired.targets.clone()),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(Entropy::from_system()),
        account: Arc::new(Account::new(&*config.region, &*config.account_id)),
        calls_max: 1,
        cores: Some(super::cores()),
        limits: Vec::new(),
        snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
        express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
        retention: stepwright_engine::retention::Retention::default(),
        observer: None,
        history_log: None,
    })
    .await
    .or_exit(Exit::CannotStart)?;
    let answer = tokio::select! {
        answer = test_state(&engine, request, options) => answer.or_exit(Exit::Usage),
        _ = tokio::signal::ctrl_c() => Err(anyhow!("stopped")).or_exit(Exit::Negative),
    };
    let (lines, lost) = Follower::new(wired.functions.logs()).lines();
    output::tell(&function_output::for_people(&lines, lost));
    engine.shut_down();
    wired.functions.shutdown().await;
    answer
}

/// A test needs no stored machine.
struct NoDefinitions;

impl Definitions for NoDefinitions {
    fn definition(&self, _: &str, _: &str) -> Pending<'_, Result<Option<String>, StoreError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Shows the answer, and says how the command ends.
fn show(answer: &TestStateOutput, as_json: bool) -> Result<Exit, Failure> {
    if as_json {
        let text = serde_json::to_string(answer).or_exit(Exit::CannotStart)?;
        output::write(&(text + "\n"))?;
    } else {
        output::tell(&stages::draw(answer));
        if let Some(text) = &answer.output {
            let document = Document::parse(text).or_exit(Exit::CannotStart)?;
            output::write(&(pretty::json(document.value()) + "\n"))?;
        }
    }
    Ok(match answer.status {
        Some(TestExecutionStatus::Succeeded | TestExecutionStatus::CaughtError) => Exit::Success,
        _ => Exit::Negative,
    })
}
