//! The commands that speak to a server, with a real one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::environment::{Environment, Said};

struct Server {
    environment: Environment,
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// In a directory with a function and `config`, which lies beside the commands too.
    fn start(config: &str, arguments: &[&str]) -> Server {
        let environment = Environment::new();
        environment.write("fn/app.py", "def handler(event, context):\n    print('seen', event)\n    if event == 'no': raise ValueError('odd')\n    return [event]\n");
        let functions = "[functions.f]\nruntime = 'python3.11'\nhandler = 'app.handler'\ncode = 'fn'\n";
        environment.write("stepwright.toml", &format!("{config}\n{functions}"));
        let mut command = environment.command(&[&["serve", "--listen", "0"][..], arguments].concat());
        let mut process = command.stderr(Stdio::piped()).spawn().expect("the binary starts");
        let lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        let mut lines = lines.map(|line| line.expect("text"));
        let mut said = Vec::new();
        let endpoint = lines.find_map(|line| {
            let endpoint = line.trim().strip_prefix("endpoint ").map(|endpoint| endpoint.trim().to_owned());
            said.push(line);
            endpoint
        });
        let endpoint = endpoint.unwrap_or_else(|| panic!("it does not say where it is: {said:?}"));
        // What else it says is nobody's concern, but has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let address = endpoint.split_once("://").expect("a URL").1.to_owned();
        Server { environment, process, address }
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let endpoint = format!("http://{}", self.address);
        self.environment.run(&[arguments, &["--endpoint", &endpoint]].concat())
    }

    fn api(&self, action: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
             AWSStepFunctions.{action}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
    }

    fn create(&self, name: &str, kind: &str, states: Value) {
        let first = states.as_object().and_then(|states| states.keys().next()).cloned().expect("a state");
        let definition = json!({ "StartAt": first, "States": states }).to_string();
        let role = "arn:aws:iam::123456789012:role/any";
        let made = self.api(
            "CreateStateMachine",
            &json!({ "name": name, "definition": definition, "roleArn": role, "type": kind }),
        );
        assert!(made.get("stateMachineArn").is_some(), "{made}");
    }
}

fn call() -> Value {
    json!({ "Call": { "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": true } })
}

#[test]
fn the_life_of_executions() {
    let server = Server::start("", &[]);
    let run = |arguments: &[&str]| server.run(arguments);
    assert_eq!(run(&["list"]).out, "There are no state machines.\n");
    server.create("orders", "STANDARD", call());
    server.create("quick", "EXPRESS", call());
    server.create("waits", "STANDARD", json!({ "W": { "Type": "Wait", "Seconds": 3600, "End": true } }));
    let listed = run(&["list"]).out;
    assert!(
        listed.starts_with("NAME    TYPE      CREATED\n") && listed.contains("\nquick   EXPRESS   2"),
        "{listed}"
    );

    let followed = run(&["start", "orders", "--name", "first", "--input", "7", "--follow"]);
    assert_eq!((followed.out.as_str(), followed.status), ("[7]\n", 0), "{}", followed.error);
    for part in [
        "TaskStateEntered             Call",
        "LambdaFunctionSucceeded",
        "ExecutionSucceeded",
        "\nSUCCEEDED after ",
    ] {
        assert!(followed.error.contains(part), "{part} in {}", followed.error);
    }
    let failed = run(&["start", "orders", "--name", "second", "--input", "\"no\"", "--follow"]);
    assert_eq!((failed.out.as_str(), failed.status), ("", 1));
    assert!(
        failed.error.contains("\nFAILED after ") && failed.error.contains("  error  ValueError\n"),
        "{}",
        failed.error
    );
    let express = run(&["start", "quick", "--input", "8", "--follow"]);
    assert_eq!((express.out.as_str(), express.status), ("[8]\n", 0), "{}", express.error);

    let executions = run(&["list", "orders"]).out;
    let column = |at: usize| {
        executions.lines().skip(1).filter_map(|line| line.split_whitespace().nth(at)).collect::<Vec<_>>()
    };
    assert_eq!(
        (column(0), column(1)),
        (vec!["second", "first"], vec!["FAILED", "SUCCEEDED"]),
        "{executions}"
    );
    assert!(run(&["list", "orders", "--status", "failed"]).out.lines().count() == 2);
    let described = run(&["describe", "orders/first"]).out;
    assert!(described.contains("status                   SUCCEEDED\n"), "{described}");
    let json: Value = serde_json::from_str(&run(&["describe", "orders", "--json"]).out).expect("JSON");
    assert_eq!(json["name"], "orders");
    let history = run(&["history", "orders/first"]).out;
    assert!(history.lines().next().is_some_and(|line| line.ends_with("   1  ExecutionStarted")), "{history}");
    assert_eq!(
        run(&["history", "orders/first", "--follow"]),
        Said { out: history, error: String::new(), status: 0 }
    );
    assert_eq!(run(&["history", "orders", "--follow", "--json"]).status, 1, "the newest one failed");

    let redriven = run(&["redrive", "orders/second", "--follow"]);
    assert_eq!(redriven.status, 1);
    assert!(
        redriven.error.contains("ExecutionRedriven") && !redriven.error.contains("ExecutionStarted"),
        "{}",
        redriven.error
    );
    let started = run(&["start", "waits"]);
    assert!(
        started.out.starts_with("arn:aws:states:us-east-1:123456789012:execution:waits:"),
        "{}",
        started.out
    );
    assert_eq!(run(&["stop", "waits", "--cause", "enough"]).status, 0);
    assert!(run(&["describe", started.out.trim()]).out.contains("cause                    enough\n"));

    let logs = run(&["logs", "orders/first"]).out;
    let own: Vec<&str> = logs.lines().map(|line| line.get(26..).unwrap_or(line)).collect();
    assert!(own[0].starts_with("Call  START RequestId: ") && own[1] == "Call  seen 7", "{logs}");
    assert_eq!(own.len(), 4, "{logs}");
    let only = run(&["logs", "--function", "f", "--no-platform"]).out;
    assert!(only.contains("seen 7\n") && only.contains("seen 8\n") && !only.contains("START"), "{only}");
    assert_eq!(run(&["logs", "--state", "Nowhere"]).out, "");
}

#[test]
fn what_goes_wrong_is_said() {
    let server = Server::start("", &[]);
    server.create("orders", "STANDARD", call());
    let failure = |arguments: &[&str]| {
        let said = server.run(arguments);
        (said.error, said.status)
    };
    let endpoint = format!("http://{}", server.address);
    for arguments in
        [&["start", "oders"][..], &["list", "oders"], &["history", "oders/x"], &["describe", "oders"]]
    {
        let expected =
            format!("error: {endpoint} has no state machine \"oders\"; did you mean \"orders\"?\n");
        assert_eq!(failure(arguments), (expected, 1), "{arguments:?}");
    }
    assert_eq!(failure(&["history", "orders"]), ("error: \"orders\" has no executions\n".to_owned(), 1));
    let (error, status) = failure(&["describe", "orders/nothing"]);
    assert!(error.starts_with("error: ExecutionDoesNotExist: ") && status == 1, "{error}");
    assert_eq!(failure(&["start", "orders", "--input", "{"]).1, 2);
    let nobody = server.environment.run(&["list", "--endpoint", "http://127.0.0.1:1"]);
    let expected = "error: http://127.0.0.1:1 cannot be reached: Connection refused (os error 111); is a server there? \
                    `stepwright serve` starts one, --endpoint names another\n";
    assert_eq!((nobody.error.as_str(), nobody.status), (expected, 2));
    let said = server.environment.run(&["list", "--endpoint", "nonsense"]);
    assert_eq!(
        (said.error.as_str(), said.status),
        ("error: \"nonsense\" is not a URL such as http://127.0.0.1:8083\n", 2)
    );
}

#[test]
fn keys_and_certificates_come_from_the_file_beside() {
    let environment = Environment::new();
    let keys = environment.write(
        "keys",
        "[me]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMIK7MDENG\n",
    );
    std::process::Command::new("chmod").arg("600").arg(&keys).status().expect("chmod");
    let config = format!("[credentials]\nfile = '{}'\n[tls]\ngenerated = true\n", keys.display());
    let server = Server::start(&config, &[]);
    let endpoint = format!("https://{}", server.address);
    let run = |arguments: &[&str]| server.environment.run(&[arguments, &["--endpoint", &endpoint]].concat());
    let said = run(&["list"]);
    assert_eq!((said.out.as_str(), said.status), ("There are no state machines.\n", 0), "{}", said.error);
    let said = run(&["limits"]);
    assert_eq!((said.out.as_str(), said.status), ("There are no limits.\n", 0), "{}", said.error);
    let wrong = server
        .environment
        .command(&["list", "--endpoint", &endpoint])
        .env("STEPWRIGHT_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("STEPWRIGHT_SECRET_ACCESS_KEY", "another0secret0of0twenty")
        .output()
        .expect("it ends");
    let error = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(1) && error.contains("Signature"), "{error}");
    server.environment.write("other.toml", "");
    let roots = server.environment.path().join("stepwright-data/tls/certificate.pem");
    let nobody = server
        .environment
        .command(&["list", "--endpoint", &endpoint, "--config", "other.toml"])
        .env("AWS_CA_BUNDLE", roots)
        .output()
        .expect("it ends");
    let error = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(nobody.status.code() == Some(1) && error.contains("no key was sent"), "{error}");
}

#[test]
fn one_function_without_a_server() {
    let environment = Environment::new();
    environment.write("app.py", "def handler(event, context):\n    print('seen')\n    if event == 1: raise ValueError('odd')\n    return event\n");
    environment.write(
        "stepwright.toml",
        "[functions.greet]\nruntime = 'python3.11'\nhandler = 'app.handler'\ncode = '.'\n",
    );
    let said = environment.run(&["invoke", "greet", "--input", "{\"a\": 1.50}"]);
    assert_eq!(
        said,
        Said { out: "{\"a\": 1.5}\n".to_owned(), error: "greet | seen\n".to_owned(), status: 0 }
    );
    let said = environment.run(&["invoke", "greet", "--input", "1"]);
    assert!(said.status == 1 && said.out.contains("\"errorType\": \"ValueError\""), "{said:?}");
    let said = environment.run(&["invoke", "gret"]);
    assert_eq!(
        (said.error.as_str(), said.status),
        ("error: there is no function \"gret\"; did you mean \"greet\"?\n", 2)
    );
}
