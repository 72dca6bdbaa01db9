"""Task states that call real functions, activities and callbacks."""

import concurrent.futures
import json
import os
import stat
import time

import pytest
from conftest import Workflows, assert_well_formed, event_types

CONFIG = """
[functions.greet]
runtime = "python3.12"
handler = "greet.handler"
code = "functions/greet"
timeout = 3
env = { GREETING = "Hello" }

[functions.shout]
runtime = "nodejs20.x"
handler = "index.handler"
code = "functions/shout"

[functions.raw]
runtime = "provided.al2023"
handler = "bootstrap"
code = "functions/raw"
"""

GREET = '''
import os, time

class Refused(Exception):
    pass

def handler(event, context):
    print("greeting", event.get("name"))
    what = event.get("do")
    if what == "raise":
        raise Refused("I would rather not")
    if what == "sleep":
        time.sleep(60)
    if what == "exit":
        os._exit(7)
    return {"greeting": f"{os.environ['GREETING']}, {event['name']}!"}
'''

SHOUT = "exports.handler = async (event) => event.greeting.toUpperCase();\n"

RAW = '''#!/usr/bin/env python3
import os, urllib.request
api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urllib.request.urlopen(f"{api}/next") as invocation:
        request, body = invocation.headers["Lambda-Runtime-Aws-Request-Id"], invocation.read()
    urllib.request.urlopen(urllib.request.Request(f"{api}/{request}/response", b'{"raw":' + body + b"}", method="POST")).read()
'''


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    directory = tmp_path_factory.mktemp("functions")
    for name, file, text in (("greet", "greet.py", GREET), ("shout", "index.js", SHOUT), ("raw", "bootstrap", RAW)):
        path = directory / "functions" / name / file
        path.parent.mkdir(parents=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    (directory / "stepwright.toml").write_text(CONFIG)
    return directory


@pytest.fixture
def lambdas(new_server, functions):
    server = new_server(config=functions / "stepwright.toml", cwd=functions)
    return Workflows(server.client())


def lambda_arn(name):
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


def invoke(function, **more):
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": function, "Payload.$": "$"}, **more}


def test_functions_in_sequence(lambdas):
    machine = lambdas.create(
        "chain",
        {
            "StartAt": "Greet",
            "States": {
                "Greet": {"Type": "Task", "Resource": lambda_arn("greet"), "Next": "Shout"},
                "Shout": invoke("shout", ResultSelector={"text.$": "$.Payload"}, Next="Raw"),
                "Raw": {"Type": "Task", "Resource": lambda_arn("raw"), "End": True},
            },
        },
    )
    description, history = lambdas.run(machine, {"name": "Ada"})
    assert description["status"] == "SUCCEEDED", description
    assert json.loads(description["output"]) == {"raw": {"text": "HELLO, ADA!"}}
    assert_well_formed(history)
    assert event_types(history)[1:6] == [
        "TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded", "TaskStateExited",
    ]


@pytest.mark.parametrize("what, error, cause", [
    ("raise", "Refused", "I would rather not"),
    ("exit", None, "exit"),
    ("sleep", None, "timed out"),
])
def test_functions_that_fail(lambdas, what, error, cause):
    machine = lambdas.create("fails", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": lambda_arn("greet"), "End": True}}})
    description, history = lambdas.run(machine, {"name": "Ada", "do": what})
    assert description["status"] == "FAILED"
    assert error is None or description["error"] == error
    assert cause in description["cause"], description
    assert "LambdaFunctionFailed" in event_types(history) or "LambdaFunctionTimedOut" in event_types(history)


def test_retry_and_catch(lambdas):
    machine = lambdas.create(
        "retries",
        {
            "StartAt": "T",
            "States": {
                "T": {
                    "Type": "Task", "Resource": lambda_arn("greet"), "End": True,
                    "Retry": [{"ErrorEquals": ["Refused"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0}],
                    "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Caught"}],
                },
                "Caught": {"Type": "Pass", "End": True},
            },
        },
    )
    description, history = lambdas.run(machine, {"name": "Ada", "do": "raise"})
    assert description["status"] == "SUCCEEDED"
    assert json.loads(description["output"])["caught"]["Error"] == "Refused"
    assert event_types(history).count("LambdaFunctionFailed") == 3


def test_unknown_function(lambdas):
    machine = lambdas.create("unknown", {"StartAt": "T", "States": {"T": invoke("nowhere", End=True)}})
    description, _ = lambdas.run(machine, {})
    assert description["error"] == "Lambda.ResourceNotFoundException"


def test_activity_worker(workflows):
    activity = workflows.client.create_activity(name="answers")["activityArn"]
    machine = workflows.create("asks", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60, "End": True}}})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        polled = pool.submit(workflows.client.get_activity_task, activityArn=activity, workerName="w")
        execution = workflows.start(machine, {"question": 6})
        task = polled.result(timeout=70)
    workflows.client.send_task_heartbeat(taskToken=task["taskToken"])
    assert json.loads(task["input"]) == {"question": 6}
    workflows.client.send_task_success(taskToken=task["taskToken"], output="42")
    assert workflows.wait(execution)["output"] == "42"
    assert event_types(workflows.history(execution)) == [
        "ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]


def test_an_activity_that_does_not_exist(workflows):
    activity = workflows.client.create_activity(name="comes-and-goes")["activityArn"]
    machine = workflows.create("asks-nobody", {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}})
    workflows.client.delete_activity(activityArn=activity)
    ended, history = workflows.run(machine)
    cause = f"An error occurred while executing the state 'A' (entered at the event id #2). The activity {activity} does not exist."
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "States.Runtime", cause)
    assert [event["type"] for event in history] == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_heartbeat_timeout(workflows):
    activity = workflows.client.create_activity(name="silent")["activityArn"]
    machine = workflows.create("waits-for-silence", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 1, "TimeoutSeconds": 60, "End": True}}})
    execution = workflows.start(machine)
    token = workflows.client.get_activity_task(activityArn=activity)["taskToken"]
    started = time.monotonic()
    while time.monotonic() - started < 2.0:
        workflows.client.send_task_heartbeat(taskToken=token)
    description = workflows.wait(execution)
    assert description["status"] == "FAILED" and description["error"] == "States.HeartbeatTimeout"


def test_remote_lambda_endpoint(new_server):
    """Functions that are not declared locally are invoked over the Lambda API."""
    import http.server
    import threading

    class Endpoint(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps({"path": self.path, "got": json.loads(body)}).encode()
            self.send_response(200)
            self.send_header("X-Amz-Executed-Version", "$LATEST")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as endpoint:
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        server = new_server(environment={"LAMBDA_ENDPOINT": f"http://127.0.0.1:{endpoint.server_port}"})
        workflows = Workflows(server.client())
        machine = workflows.create("remote", {"StartAt": "T", "States": {"T": invoke("far-away", End=True)}})
        description, _ = workflows.run(machine, {"n": 1})
        endpoint.shutdown()
    output = json.loads(description["output"])
    assert output["Payload"]["got"] == {"n": 1} and "/functions/far-away/invocations" in output["Payload"]["path"]
    assert output["StatusCode"] == 200


def test_metrics_and_health(shared_server):
    import urllib.request

    assert urllib.request.urlopen(f"{shared_server.url}/healthz").status == 200
    text = urllib.request.urlopen(f"{shared_server.url}/metrics").read().decode()
    assert "stepwright_" in text
