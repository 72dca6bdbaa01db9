//! `stepwright invoke`: one invocation of a function, without a server.

use anyhow::anyhow;
use bytes::Bytes;
use stepwright_tasks::functions::Functions;
use stepwright_tasks::lambda::{FunctionName, InvocationType, InvokeRequest};

use crate::cli::Invoke;
use crate::config::{self, Config, Overrides};
use crate::exit::{Exit, Failure, OrExit as _};
use crate::function_output::{self, Follower};
use crate::terminal::Stream;
use crate::{input, output, suggestions, wiring};

pub fn run(arguments: Invoke) -> Result<Exit, Failure> {
    let overrides =
        Overrides { config: arguments.config, template: arguments.template, ..Overrides::default() };
    let config = config::load(overrides).or_exit(Exit::Usage)?;
    let event = match input::read(&arguments.input, Stream::Error.ability()) {
        Ok(event) => event,
        Err(shown) => {
            output::tell(&shown);
            return Ok(Exit::Usage);
        }
    };
    let runtime = super::runtime()?;
    let exit = runtime.block_on(invoke(&arguments.function, event.text(), &config));
    runtime.shutdown_background();
    exit
}

async fn invoke(name: &str, event: &str, config: &Config) -> Result<Exit, Failure> {
    let wired =
        wiring::wire(config.functions.clone(), &config.lambda, &config.region).or_exit(Exit::Usage)?;
    super::warn(config, &wired);
    let function = known(name, &wired.functions).or_exit(Exit::Usage)?;
    let request = InvokeRequest {
        function,
        qualifier: None,
        payload: Bytes::copy_from_slice(event.as_bytes()),
        invocation_type: InvocationType::RequestResponse,
        log_tail: false,
        client_context: None,
        region: config.region.clone(),
        account_id: config.account_id.clone(),
        caller: None,
    };
    let mut printed = Follower::new(wired.functions.logs());
    let answer = {
        let answer = wired.functions.invoke(request);
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                () = printed.news() => show(&mut printed),
                _ = tokio::signal::ctrl_c() => {
                    wired.functions.shutdown().await;
                    return Err(anyhow!("stopped")).or_exit(Exit::Negative);
                }
            }
        }
    };
    show(&mut printed);
    wired.functions.shutdown().await;
    match answer {
        Ok(answer) => {
            output::write(&format!("{}\n", String::from_utf8_lossy(&answer.payload)))?;
            Ok(if answer.is_function_error { Exit::Negative } else { Exit::Success })
        }
        Err(error) => Err(error).or_exit(Exit::Negative),
    }
}

/// A function that is declared, with suggestions otherwise.
fn known(name: &str, functions: &Functions) -> anyhow::Result<FunctionName> {
    let function = FunctionName::parse(name);
    if let Some(function) = function.filter(|function| functions.has(function)) {
        return Ok(function);
    }
    let names: Vec<&str> = functions.definitions().map(|definition| definition.name.as_str()).collect();
    let hint = match names.is_empty() {
        true => "; none is declared: see [functions.NAME] of stepwright.toml, or --template".to_owned(),
        false => suggestions::hint(name, names.iter().copied()),
    };
    Err(anyhow!("there is no function {name:?}{hint}"))
}

fn show(printed: &mut Follower) {
    let (lines, lost) = printed.lines();
    output::tell(&function_output::for_people(&lines, lost));
}
