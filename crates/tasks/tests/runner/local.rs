//! Local functions: real processes of Python, Node.js and a runtime of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stepwright_tasks::functions::{
    Functions, FunctionsOptions, InvocationOutcome, LogFilter, TemplateContext, functions_from_config,
    functions_from_template,
};
use stepwright_tasks::lambda::LambdaTarget;
use stepwright_tasks::{CancellationSignal, Failure, TaskTarget, cancellation};
use tempfile::TempDir;

use crate::{INVOKE, call, text, until};

/// A directory with code, and the functions that it declares.
struct World {
    directory: TempDir,
    functions: Arc<Functions>,
    target: LambdaTarget,
}

impl World {
    fn new(config: &str, files: &[(&str, &str)]) -> World {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        }
        let definitions = functions_from_config(config, directory.path()).expect("a configuration");
        let secret = ("DATABASE_PASSWORD".to_owned(), "s3cret".to_owned());
        let mut options = FunctionsOptions::new(std::env::vars().chain([secret]), "eu-central-1");
        options.code_check = Duration::ZERO;
        let functions = Arc::new(Functions::new(definitions, options).expect("functions"));
        World { directory, target: LambdaTarget::new(Arc::clone(&functions), None), functions }
    }

    fn python(code: &str) -> World {
        let config =
            "[functions.f]\nruntime = 'python3.12'\nhandler = 'app.handler'\ncode = '.'\ntimeout = 20";
        World::new(config, &[("app.py", code)])
    }

    fn node(file: &str, code: &str) -> World {
        let config =
            "[functions.f]\nruntime = 'nodejs20.x'\nhandler = 'app.handler'\ncode = '.'\ntimeout = 20";
        World::new(config, &[(file, code)])
    }

    /// Calls `f` by its ARN.
    async fn ask(&self, event: &str) -> Result<String, Failure> {
        let call = call("arn:aws:lambda:us-east-1:123456789012:function:f", event);
        self.target.call(call, CancellationSignal::never()).await.map(text)
    }

    /// Calls with the parameters of `lambda:invoke`.
    async fn invoke(&self, parameters: &str) -> Result<String, Failure> {
        self.target.call(call(INVOKE, parameters), CancellationSignal::never()).await.map(text)
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn last_request_id(&self) -> String {
        self.functions.logs().recent().first().expect("an invocation").origin.request_id.clone()
    }

    /// What the last invocation printed, with the lines of the platform.
    fn last_log(&self) -> String {
        let filter = LogFilter { request_id: Some(self.last_request_id()), ..LogFilter::default() };
        let lines = self.functions.logs().lines_after(0, &filter, usize::MAX);
        lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }
}

/// Replaces what differs from run to run.
fn normal(text: &str, world: &World) -> String {
    let text = text.replace(&world.path().display().to_string(), "/var/task");
    text.replace(&world.last_request_id(), "<id>")
}

fn failed(result: Result<String, Failure>, world: &World) -> (String, String) {
    let failure = result.expect_err("a failure");
    (failure.error, normal(&failure.cause.unwrap_or_default(), world))
}

#[tokio::test(flavor = "multi_thread")]
async fn python_answers_in_a_warm_process() {
    let code = r#"
import decimal, json, os, sys
count = 0
print("loaded")
def handler(event, context):
    global count
    count += 1
    print("event", json.dumps(event))
    print("to stderr", file=sys.stderr)
    os.write(1, b"unbuffered\n")
    assert 0 < context.get_remaining_time_in_millis() <= 20000
    return {"count": count, "event": event, "name": context.function_name, "arn": context.invoked_function_arn,
            "amount": decimal.Decimal("1.10"), "umlaut": "ä", "secret": os.environ.get("DATABASE_PASSWORD"),
            "region": os.environ["AWS_REGION"], "root": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"]}
"#;
    let world = World::python(code);
    let expected = |count: u32| {
        format!(
            "{{\"count\": {count}, \"event\": {{\"a\": 1}}, \"name\": \"f\", \"arn\": \
             \"arn:aws:lambda:us-east-1:123456789012:function:f\", \"amount\": 1.10, \"umlaut\": \"ä\", \"secret\": \
             null, \"region\": \"eu-central-1\", \"root\": true}}"
        )
    };
    assert_eq!(world.ask(r#"{"a":1}"#).await, Ok(expected(1)));
    let first = world.last_log();
    let id = world.last_request_id();
    let expected_log = format!(
        "loaded\nSTART RequestId: {id} Version: $LATEST\nevent {{\"a\": 1}}\nto stderr\nunbuffered\nEND RequestId: {id}\n\
         REPORT RequestId: {id}\tDuration: "
    );
    assert!(first.starts_with(&expected_log), "{first}");
    for field in
        [" ms\tBilled Duration: ", " ms\tMemory Size: 128 MB\tMax Memory Used: ", " MB\tInit Duration: "]
    {
        assert!(first.contains(field), "{field:?} in {first}");
    }
    assert_eq!(world.ask(r#"{"a":1}"#).await, Ok(expected(2)));
    let second = world.last_log();
    assert!(second.starts_with("START RequestId: ") && !second.contains("loaded"), "{second}");
    assert_eq!(world.functions.processes(), 1);
    world.functions.end_idle(Duration::ZERO);
    assert_eq!(world.functions.processes(), 0);
    assert_eq!(world.ask(r#"{"a":1}"#).await, Ok(expected(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn python_errors() {
    let code = r#"
import os, signal
class CustomException(Exception): pass
def handler(event, context):
    if event == "raise": raise Exception("Some exception was raised.")
    if event == "custom": raise CustomException()
    if event == "marshal": return {1, 2}
    if event == "exit": os._exit(3)
    if event == "quiet exit": os._exit(0)
    if event == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if event == "sys.exit": raise SystemExit(4)
    return event
"#;
    let world = World::python(code);
    let ask = async |event: &str| failed(world.ask(event).await, &world);
    let expected = |error: &str, cause: &str| (error.to_owned(), cause.to_owned());
    assert_eq!(
        ask("\"raise\"").await,
        expected(
            "Exception",
            r#"{"errorMessage": "Some exception was raised.", "errorType": "Exception", "requestId": "<id>", "stackTrace": ["  File \"/var/task/app.py\", line 5, in handler\n    if event == \"raise\": raise Exception(\"Some exception was raised.\")\n"]}"#
        )
    );
    let (error, cause) = ask("\"custom\"").await;
    assert_eq!(error, "CustomException");
    assert!(
        cause.starts_with(r#"{"errorMessage": "", "errorType": "CustomException", "requestId": "<id>", "#),
        "{cause}"
    );
    assert_eq!(
        ask("\"marshal\"").await,
        expected(
            "Runtime.MarshalError",
            r#"{"errorMessage": "Unable to marshal response: Object of type set is not JSON serializable", "errorType": "Runtime.MarshalError", "requestId": "<id>", "stackTrace": []}"#
        )
    );
    assert_eq!(world.functions.processes(), 1, "an exception leaves the process as it is");
    let exit = |message: &str| {
        let cause = format!(
            r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: {message}"}}"#
        );
        ("Runtime.ExitError".to_owned(), cause)
    };
    assert_eq!(ask("\"exit\"").await, exit("Runtime exited with error: exit status 3"));
    assert_eq!(ask("\"sys.exit\"").await, exit("Runtime exited with error: exit status 4"));
    assert_eq!(ask("\"kill\"").await, exit("Runtime exited with error: signal: killed"));
    assert_eq!(ask("\"quiet exit\"").await, exit("Runtime exited without providing a reason"));
    assert_eq!(world.ask("[]").await.as_deref(), Ok("[]"));
    assert_eq!(world.functions.logs().recent().get(1).map(|r| r.outcome), Some(InvocationOutcome::Failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn python_that_does_not_load() {
    for (code, error, message) in [
        (
            "import no_such_module",
            "Runtime.ImportModuleError",
            "Unable to import module 'app': No module named 'no_such_module'",
        ),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        (
            "def (",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': invalid syntax (app.py, line 1)",
        ),
        ("raise ValueError('no')", "ValueError", "no"),
        ("import os; os._exit(1)", "Runtime.ExitError", "Runtime exited with error: exit status 1"),
    ] {
        let world = World::python(code);
        let (found, cause) = failed(world.ask("{}").await, &world);
        assert_eq!(found, error);
        assert!(cause.contains(message), "{cause}");
        assert_eq!(world.functions.processes(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_ends_the_process() {
    let config = "[functions.f]\nruntime = 'python3.12'\nhandler = 'app.handler'\ncode = '.'\ntimeout = 1";
    let code = "import threading\ndef handler(event, context):\n    threading.Event().wait(event)\n    return 'done'\n";
    let world = World::new(config, &[("app.py", code)]);
    let (error, cause) = failed(world.ask("60").await, &world);
    assert_eq!(error, "Sandbox.Timedout");
    let expected = r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: <id> Error: Task timed out after 1.00 seconds"}"#;
    assert_eq!(cause, expected);
    assert_eq!(world.functions.processes(), 0);
    assert_eq!(world.ask("0").await.as_deref(), Ok("\"done\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoke_has_the_shape_of_the_sdk() {
    let world = World::python("def handler(event, context):\n    print('hi')\n    return event\n");
    let output =
        world.invoke(r#"{"FunctionName":"f","Payload":null,"LogType":"Tail"}"#).await.expect("a result");
    let value = stepwright_value::read(&output).expect("JSON");
    let members: Vec<String> =
        value.as_object().expect("an object").keys().map(|key| key.to_string()).collect();
    assert_eq!(
        members,
        ["ExecutedVersion", "LogResult", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    );
    assert_eq!(value.get("Payload").map(|payload| payload.to_json()).as_deref(), Some("{}"));
    let metadata = value.get("SdkHttpMetadata").expect("metadata");
    let names = |member: &str| -> Vec<String> {
        let headers = metadata.get(member).and_then(|headers| headers.as_object()).expect("headers");
        headers.keys().map(|key| key.to_string()).collect()
    };
    assert_eq!(
        names("AllHttpHeaders"),
        [
            "X-Amz-Log-Result",
            "X-Amz-Executed-Version",
            "x-amzn-Remapped-Content-Length",
            "Connection",
            "x-amzn-RequestId",
            "Content-Length",
            "Date",
            "X-Amzn-Trace-Id",
            "Content-Type"
        ]
    );
    assert_eq!(
        names("HttpHeaders"),
        [
            "Connection",
            "Content-Length",
            "Content-Type",
            "Date",
            "X-Amz-Executed-Version",
            "X-Amz-Log-Result",
            "x-amzn-Remapped-Content-Length",
            "x-amzn-RequestId",
            "X-Amzn-Trace-Id"
        ]
    );
    let output = world
        .invoke(r#"{"FunctionName":"f","InvocationType":"Event","Payload":[]}"#)
        .await
        .expect("a result");
    assert!(output.starts_with(r#"{"Payload":"","#) && output.ends_with(r#""StatusCode":202}"#), "{output}");
    until("the event runs", || world.functions.logs().recent().len() == 2).await;
    let output = world.invoke(r#"{"FunctionName":"f","InvocationType":"DryRun"}"#).await.expect("a result");
    assert!(output.ends_with(r#""StatusCode":204}"#), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_do_not_exist() {
    let world = World::python("");
    for result in [
        world.invoke(r#"{"FunctionName":"nope:PROD","Payload":1}"#).await,
        world
            .target
            .call(
                call("arn:aws:lambda:us-east-1:123456789012:function:nope:PROD", "1"),
                CancellationSignal::never(),
            )
            .await
            .map(text),
    ] {
        let failure = result.expect_err("a failure");
        assert_eq!(failure.error, "Lambda.ResourceNotFoundException");
        let cause = failure.cause.unwrap_or_default();
        let begin = "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nope:PROD (Service: AWSLambda; \
                     Status Code: 404; Error Code: ResourceNotFoundException; Request ID: ";
        assert!(cause.starts_with(begin) && cause.ends_with("; Proxy: null)"), "{cause}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_queue_and_shutdown() {
    let config = "[functions.f]\nruntime = 'python3.12'\nhandler = 'app.handler'\ncode = '.'\ntimeout = 60\nconcurrency = 2";
    let code = "import subprocess, threading\ndef handler(event, context):\n    child = subprocess.Popen(['sleep', '600'])\n    \
                open(str(child.pid), 'w').close()\n    threading.Event().wait()\n";
    let world = World::new(config, &[("app.py", code)]);
    let (canceller, cancel) = cancellation();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..1002 {
        let call = call("arn:aws:lambda:us-east-1:123456789012:function:f", "1");
        // The last one is cancelled while it waits.
        let cancel = if number == 1001 { cancel.clone() } else { CancellationSignal::never() };
        calls.spawn(world.target.call(call, cancel));
        tokio::task::yield_now().await;
    }
    let children = || -> Vec<u32> {
        let names = fs::read_dir(world.path()).expect("a directory").flatten();
        names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    };
    until("two processes work", || children().len() == 2).await;
    // Whether all calls are in the queue shows in what one more is told.
    let mut told = String::new();
    while told != "Lambda.TooManyRequestsException" {
        told = tokio::select! {
            biased;
            result = world.ask("1") => result.expect_err("too many").error,
            () = tokio::task::yield_now() => String::new(),
        };
    }
    assert_eq!(world.functions.processes(), 2);
    canceller.cancel();
    let cancelled = calls.join_next().await.expect("one call").expect("no panic").expect_err("cancelled");
    assert_eq!(cancelled.error, "States.TaskFailed");
    let children = children();
    world.functions.shutdown().await;
    assert_eq!(world.functions.processes(), 0);
    while let Some(result) = calls.join_next().await {
        assert_eq!(result.expect("no panic").expect_err("ended").error, "Lambda.ServiceException");
    }
    let is_gone = |pid: &u32| match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(text) => text.contains(") Z ") || text.contains(") X "), // nobody may have waited for it
        Err(_) => true,
    };
    until("what they started is gone", || children.iter().all(is_gone)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_handlers() {
    let table = [
        (
            "app.js",
            "exports.handler = async (event) => ({ event, name: process.env.AWS_LAMBDA_FUNCTION_NAME });",
        ),
        (
            "app.js",
            "exports.handler = (event, context, callback) => callback(null, { event, name: context.functionName });",
        ),
        (
            "app.js",
            "exports.handler = (event, context) => setImmediate(() => context.succeed({ event, name: 'f' }));",
        ),
        (
            "app.mjs",
            "export const handler = async (event, { functionName }) => ({ event, name: functionName });",
        ),
        ("app.cjs", "module.exports = { handler: async (event) => ({ event, name: 'f' }) };"),
    ];
    for (file, code) in table {
        let world = World::node(file, code);
        for _ in 0..2 {
            assert_eq!(world.ask("[1]").await.as_deref(), Ok(r#"{"event":[1],"name":"f"}"#), "{code}");
        }
        assert_eq!(world.functions.processes(), 1);
    }
    let world = World::node("app.js", "exports.handler = (event) => { console.log('seen', event); };");
    assert_eq!(world.ask("1").await.as_deref(), Ok("null"));
    assert!(world.last_log().contains("\tINFO\tseen 1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn node_errors() {
    let table = [
        (
            "exports.handler = async () => { throw new TypeError('no'); };",
            "TypeError",
            r#"{"errorType":"TypeError","errorMessage":"no","trace":["TypeError: no","#,
        ),
        (
            "exports.handler = (event, context, callback) => callback(new RangeError('no'));",
            "RangeError",
            r#"{"errorType":"RangeError","errorMessage":"no","trace":["#,
        ),
        (
            "exports.handler = (event, context, callback) => callback('text');",
            "string",
            r#"{"errorType":"string","errorMessage":"text","trace":[]}"#,
        ),
        (
            "exports.handler = () => process.exit(7);",
            "Runtime.ExitError",
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited with error: exit status 7"}"#,
        ),
        (
            "exports.handler = () => { setImmediate(() => { throw new Error('late'); }); };",
            "Error",
            r#"{"errorType":"Error","errorMessage":"late","#,
        ),
        (
            "require('no-such-module');",
            "Runtime.ImportModuleError",
            r#"{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'no-such-module'"#,
        ),
        (
            "exports.other = 1;",
            "Runtime.HandlerNotFound",
            r#"{"errorType":"Runtime.HandlerNotFound","errorMessage":"app.handler is undefined or not exported","#,
        ),
        (
            "exports.handler = (",
            "Runtime.UserCodeSyntaxError",
            r#"{"errorType":"Runtime.UserCodeSyntaxError","errorMessage":"SyntaxError:"#,
        ),
    ];
    for (code, error, cause) in table {
        let world = World::node("app.js", code);
        let (found, found_cause) = failed(world.ask("{}").await, &world);
        assert_eq!(found, error, "{code}");
        assert!(found_cause.starts_with(cause), "{code}: {found_cause}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_crashes_after_its_answer_is_replaced() {
    // It ends just where the bootstrap would ask for the next event.
    let code = r#"
import http.client, os
ask = http.client.HTTPConnection.request
def end_instead_of_get(self, method, *rest):
    if method == "GET": os._exit(1)
    ask(self, method, *rest)
def handler(event, context):
    http.client.HTTPConnection.request = end_instead_of_get
    return "done"
"#;
    let world = World::python(code);
    for _ in 0..5 {
        assert_eq!(world.ask("1").await.as_deref(), Ok("\"done\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_code_runs() {
    let world = World::python("def handler(event, context):\n    return 'old'\n");
    assert_eq!(world.ask("1").await.as_deref(), Ok("\"old\""));
    fs::write(world.path().join("app.py"), "def handler(event, context):\n    return 'newer'\n")
        .expect("a file");
    assert_eq!(world.ask("1").await.as_deref(), Ok("\"newer\""));
    assert_eq!(world.functions.processes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_of_its_own() {
    let bootstrap = r#"#!/usr/bin/env python3
import json, os, urllib.request, urllib.error
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"
def post(path, body):
    try:
        return urllib.request.urlopen(urllib.request.Request(base + path, body, method="POST")).status
    except urllib.error.HTTPError as error:
        return error.code
wrong = None
while True:
    with urllib.request.urlopen(base + "/invocation/next") as response:
        request_id, event = response.headers["Lambda-Runtime-Aws-Request-Id"], json.load(response)
    if event == "error":
        post(f"/invocation/{request_id}/error", b'{"errorType":"Mine","errorMessage":"m"}')
    elif event == "untyped":
        post(f"/invocation/{request_id}/error", b'{"errorMessage":"m"}')
    elif event == "large":
        post(f"/invocation/{request_id}/response", b'"' + b"x" * 6291556 + b'"')
    elif event == "no JSON":
        post(f"/invocation/{request_id}/response", b"{")
    else:
        wrong = post("/invocation/other/response", b"1")
        post(f"/invocation/{request_id}/response", json.dumps({"handler": os.environ["_HANDLER"], "wrong": wrong}).encode())
"#;
    let config =
        "[functions.f]\nruntime = 'provided.al2023'\nhandler = 'my.handler'\ncode = '.'\ntimeout = 20";
    let world = World::new(config, &[("bootstrap", bootstrap)]);
    assert_eq!(world.ask("1").await.as_deref(), Ok(r#"{"handler": "my.handler", "wrong": 400}"#));
    let table = [
        ("\"error\"", "Mine", r#"{"errorType":"Mine","errorMessage":"m"}"#),
        (
            "\"untyped\"",
            "Lambda.Unknown",
            "The cause could not be determined because Lambda did not return an error type. Returned payload: \
             {\"errorMessage\":\"m\"}",
        ),
        (
            "\"large\"",
            "Function.ResponseSizeTooLarge",
            r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#,
        ),
        ("\"no JSON\"", "Lambda.Unknown", "The function's answer is not JSON. Returned payload: {"),
    ];
    for (event, error, cause) in table {
        assert_eq!(failed(world.ask(event).await, &world), (error.to_owned(), cause.to_owned()));
    }
    let missing = World::new(config, &[]);
    let (error, cause) = failed(missing.ask("1").await, &missing);
    assert_eq!(error, "Runtime.InvalidEntrypoint");
    assert!(cause.contains("cannot start /var/task/bootstrap: No such file or directory"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_of_output_does_not_stop_a_function() {
    let world = World::python(
        "import sys\ndef handler(event, context):\n    for n in range(40000): print('line', n, 'x' * 40)\n    return 1\n",
    );
    assert_eq!(world.ask("1").await.as_deref(), Ok("1"));
    let left_out_bytes = world.functions.logs().recent().first().expect("an invocation").left_out_bytes;
    assert!(world.last_log().len() <= 256 * 1024 && left_out_bytes > 1_000_000, "{left_out_bytes}");
    assert!(world.last_log().contains("line 39999 xxx"));
}

/// What stands before the first tab, and what is the same in every run, of the lines that the function wrote.
fn shape(log: &str, world: &World) -> Vec<String> {
    let own = normal(log, world);
    let lines =
        own.lines().filter(|line| !["START ", "END ", "REPORT "].iter().any(|it| line.starts_with(it)));
    let time = |part: &str| part.len() == 24 && part.starts_with("20") && part.ends_with('Z');
    let parts = |line: &str| -> Vec<String> {
        line.split('\t').map(|part| if time(part) { "<time>".to_owned() } else { part.to_owned() }).collect()
    };
    // Python marks the place in a line, some versions more often than others.
    let is_mark = |line: &&str| line.contains('^') && line.chars().all(|it| " ^~".contains(it));
    lines.filter(|line| !is_mark(line)).map(|line| parts(line).join(" | ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_and_request_ids_as_lambda_writes_them() {
    let python = r#"
import logging, sys
logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger("mine")
def handler(event, context):
    log.info("below the default level")
    log.warning("odd\n  indeed %s", event)
    print("printed")
    try: raise ValueError("bad")
    except ValueError: log.exception("caught")
    sys.stderr.write("no line feed")
"#;
    let world = World::python(python);
    world.ask("1").await.expect("an answer");
    assert_eq!(
        shape(&world.last_log(), &world),
        [
            "[WARNING] | <time> | <id> | odd",
            "  indeed 1",
            "printed",
            "[ERROR] | <time> | <id> | caught",
            "Traceback (most recent call last):",
            "  File \"/var/task/app.py\", line 9, in handler",
            "    try: raise ValueError(\"bad\")",
            "ValueError: bad",
            "no line feed",
        ]
    );
    let node = "exports.handler = async (event) => { console.log('a %d\\nb', event, { c: 1 }); console.debug('d'); \
                console.warn('w'); process.stderr.write('raw\\n'); console.error('e'); throw new TypeError('no'); };";
    let world = World::node("app.js", node);
    world.ask("1").await.expect_err("a failure");
    let shape = shape(&world.last_log(), &world);
    assert_eq!(
        shape.get(..6).unwrap_or(&shape),
        [
            "<time> | <id> | INFO | a 1",
            "b { c: 1 }",
            "<time> | <id> | DEBUG | d",
            "<time> | <id> | WARN | w",
            "raw",
            "<time> | <id> | ERROR | e",
        ]
    );
    let error = "<time> | <id> | ERROR | Invoke Error  | {\"errorType\":\"TypeError\",\"errorMessage\":\"no\",\"stack\":[";
    assert!(shape.get(6).is_some_and(|line| line.starts_with(error)), "{shape:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lambda_says_about_ends() {
    let code = "import os, threading\ndef handler(event, context):\n    if event: os._exit(3)\n    threading.Event().wait()\n";
    let config = "[functions.f]\nruntime = 'python3.12'\nhandler = 'app.handler'\ncode = '.'\ntimeout = 1";
    let world = World::new(config, &[("app.py", code)]);
    world.ask("1").await.expect_err("a failure");
    let log = normal(&world.last_log(), &world);
    let error = "\nRequestId: <id> Error: Runtime exited with error: exit status 3\nRuntime.ExitError\nEND RequestId: <id>\n";
    assert!(log.contains(error), "{log}");
    assert!(log.ends_with("\tStatus: error\tError Type: Runtime.ExitError\n"), "{log}");
    world.ask("0").await.expect_err("a failure");
    let log = normal(&world.last_log(), &world);
    assert!(log.contains("Z <id> Task timed out after 1.00 seconds\n\nEND RequestId: <id>\n"), "{log}");
    assert!(log.ends_with("\tStatus: timeout\n"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn inline_code_and_layers_of_a_template() {
    let template = r#"
Resources:
  Python:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        import shared
        def handler(event, context):
            return shared.name + " " + event
      Layers: [!Ref Shared]
  Node:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      Code: {ZipFile: "exports.handler = async (event) => require('shared').name + ' ' + event;"}
      Layers: [!Ref Shared]
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer}
"#;
    let directory = tempfile::tempdir().expect("a directory");
    for (path, text) in
        [("python/shared.py", "name = 'py'"), ("nodejs/node_modules/shared/index.js", "exports.name = 'js';")]
    {
        let path = directory.path().join("layer").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    let context = TemplateContext { region: "r".into(), account_id: "1".into(), stack_name: "s".into() };
    let found = functions_from_template(template, directory.path(), &context).expect("a template");
    let options = FunctionsOptions::new(std::env::vars(), "us-east-1");
    let functions = Arc::new(Functions::new(found.functions, options).expect("functions"));
    let target = LambdaTarget::new(Arc::clone(&functions), None);
    for (name, expected) in [("Python", "\"py hi\""), ("Node", "\"js hi\"")] {
        let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
        let answer = target.call(call(&arn, "\"hi\""), CancellationSignal::never()).await.map(text);
        assert_eq!(answer.as_deref(), Ok(expected));
    }
    let code = functions.definitions().next().expect("a function").code.clone();
    assert!(code.join("index.js").is_file());
    drop((target, functions));
    assert!(!code.exists(), "it is removed with the functions");
}

#[test]
fn inherited_variables() {
    let given =
        ["PATH", "HOME", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "DATABASE_URL", "LANG"];
    let options = FunctionsOptions::new(given.map(|name| (name.to_owned(), String::new())), "r");
    let expected: BTreeMap<String, String> =
        ["AWS_ENDPOINT_URL_S3", "HOME", "LANG", "PATH"].map(|name| (name.to_owned(), String::new())).into();
    assert_eq!(options.inherited, expected);
    assert_eq!(options.credentials.keys().collect::<Vec<_>>(), ["AWS_ACCESS_KEY_ID"]);
}
