"""The log of executions: levels, data, destinations, and what happens when a destination is not well."""

import json
import re
import time
import urllib.parse
import urllib.request

import pytest
from cloudwatch_logs import CloudWatchLogs
from conftest import ROLE, Workflows, pass_machine

GROUP = "/aws/vendedlogs/states/orders"
FAILING = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad", "Cause": "luck"}}}
CAUGHT = {
    "StartAt": "P",
    "States": {
        "P": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad"}}}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}],
            "End": True,
        },
        "Done": {"Type": "Succeed"},
    },
}


def log_to(group=GROUP, level="ALL", data=False):
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]
    return {"level": level, "includeExecutionData": data, "destinations": destinations}


@pytest.fixture
def logs():
    logs = CloudWatchLogs([GROUP, "quiet"])
    yield logs
    logs.close()


@pytest.fixture
def server(new_server, logs):
    return new_server(environment={"AWS_ENDPOINT_URL_LOGS": logs.url, "AWS_SESSION_TOKEN": "session"})


def create(client, name, definition, logging, type="STANDARD"):
    return client.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE, type=type, loggingConfiguration=logging
    )["stateMachineArn"]


def test_records_are_those_of_aws(server, logs):
    client = server.client()
    machine = create(client, "orders", pass_machine(1), log_to(data=True))
    assert client.describe_state_machine(stateMachineArn=machine)["loggingConfiguration"] == log_to(data=True)
    execution = Workflows(client).start(machine, {"n": 1}, name="first")
    records = logs.wait(GROUP, 4)
    assert all(record["execution_arn"] == execution and record["redrive_count"] == "0" for record in records)
    times = [int(record["event_timestamp"]) for record in records]
    assert times == sorted(times) and abs(times[0] / 1000 - time.time()) < 60
    payload = {"input": '{"n": 1}', "inputDetails": {"truncated": False}}
    outcome = {"output": '{"n": 1}', "outputDetails": {"truncated": False}}
    assert [(r["id"], r["previous_event_id"], r["type"], r["details"]) for r in records] == [
        ("1", "0", "ExecutionStarted", {**payload, "roleArn": ROLE}),
        ("2", "0", "PassStateEntered", {"name": "S0", **payload}),
        ("3", "2", "PassStateExited", {"name": "S0", **outcome}),
        ("4", "3", "ExecutionSucceeded", outcome),
    ]
    (stream,) = logs.groups[GROUP]
    assert re.fullmatch(r"states/orders/\d{4}-\d\d-\d\d-\d\d/[0-9a-f]{8}", stream)
    operation, headers, _ = logs.requests[-1]
    assert operation == "PutLogEvents" and headers["x-amz-security-token"] == "session"
    assert "/us-east-1/logs/aws4_request" in headers["authorization"]


def test_levels(server, logs):
    client = server.client()
    for level, definition, expected in [
        ("FATAL", FAILING, ["ExecutionFailed"]),
        ("ERROR", FAILING, ["FailStateEntered", "ExecutionFailed"]),
        ("ERROR", CAUGHT, ["FailStateEntered", "ParallelStateFailed"]),
        ("ALL", FAILING, ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]),
    ]:
        logs.groups[GROUP].clear()
        name = f"m-{level}-{len(logs.requests)}"
        machine = create(client, name, definition, log_to(level=level))
        Workflows(client).start(machine, {"secret": 1})
        records = logs.wait(GROUP, len(expected))
        assert [record["type"] for record in records] == expected, level
        assert "secret" not in json.dumps(records)
    # What is off, and what succeeds below ALL, leaves nothing.
    for level in ("OFF", "FATAL", "ERROR"):
        machine = create(client, f"quiet-{level}", pass_machine(1), log_to("quiet", level))
        Workflows(client).run(machine)
    logs.groups[GROUP].clear()
    Workflows(client).start(create(client, "last", FAILING, log_to()))
    logs.wait(GROUP, 3)
    assert logs.records("quiet") == []


def test_an_update_counts_for_later_executions(server, logs):
    client = server.client()
    machine = create(client, "changing", FAILING, log_to(level="FATAL"))
    execution = client.start_execution(stateMachineArn=machine)["executionArn"]
    logs.wait(GROUP, 1)
    client.update_state_machine(stateMachineArn=machine, loggingConfiguration={"level": "OFF"})
    assert client.describe_state_machine(stateMachineArn=machine)["loggingConfiguration"] == {
        "level": "OFF", "includeExecutionData": False,
    }
    client.start_execution(stateMachineArn=machine)
    client.update_state_machine(stateMachineArn=machine, loggingConfiguration=log_to(level="FATAL"))
    last = client.start_execution(stateMachineArn=machine)["executionArn"]
    assert [record["execution_arn"] for record in logs.wait(GROUP, 2)] == [execution, last]
    described = client.describe_state_machine_for_execution(executionArn=execution)
    assert described["loggingConfiguration"]["level"] == "FATAL"


def test_refusals(server):
    client = server.client()
    machine = create(client, "fine", pass_machine(1), {"level": "OFF"})
    none, two = {"level": "ALL"}, log_to()
    two["destinations"] = two["destinations"] * 2
    bare, nonsense = log_to(), log_to()
    bare["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"] = f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}"
    nonsense["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"] = GROUP
    empty = {"level": "ALL", "destinations": [{}]}
    for logging, message in [
        (log_to("missing"), "Log Destination not found."),
        (log_to(GROUP + "-2"), "Log Destination not found."),
        (log_to("ord"), "Log Destination not found."),
        (bare, "Log Group ARN must be provided with '*' qualifier."),
        (nonsense, "Log Destination not found."),
        (none, "Must specify exactly one Log Destination."),
        (two, "Must specify exactly one Log Destination."),
        (empty, "Log Destination is empty."),
    ]:
        for call in (
            lambda: create(client, "refused", pass_machine(1), logging),
            lambda: client.update_state_machine(stateMachineArn=machine, loggingConfiguration=logging),
        ):
            with pytest.raises(client.exceptions.InvalidLoggingConfiguration) as refused:
                call()
            assert refused.value.response["Error"]["Message"] == f"Invalid Logging Configuration: {message}"


def test_an_ailing_service_gets_everything_in_order(server, logs):
    client = server.client()
    machine = create(client, "ailing", pass_machine(5), log_to(), type="EXPRESS")
    logs.failures = [(503, {}), (400, {"__type": "ThrottlingException"}), (500, {"message": "?"})]
    for number in range(20):
        client.start_execution(stateMachineArn=machine, name=f"n{number}")
    records = logs.wait(GROUP, 20 * 12)
    by_execution = {}
    for record in records:
        by_execution.setdefault(record["execution_arn"], []).append(int(record["id"]))
    assert len(by_execution) == 20 and all(ids == list(range(1, 13)) for ids in by_execution.values())
    assert logs.failures == []


def test_a_deleted_stream_comes_back_and_a_deleted_group_is_counted(server, logs):
    client = server.client()
    machine = create(client, "deleted", FAILING, log_to(level="FATAL"))
    client.start_execution(stateMachineArn=machine)
    logs.wait(GROUP, 1)
    logs.groups[GROUP].clear()
    client.start_execution(stateMachineArn=machine)
    logs.wait(GROUP, 1)
    del logs.groups[GROUP]
    execution = client.start_execution(stateMachineArn=machine)["executionArn"]
    assert Workflows(client).wait(execution)["status"] == "FAILED"
    deadline = time.monotonic() + 10
    while 'outcome="lost"} 1' not in urllib.request.urlopen(f"{server.url}/metrics").read().decode():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "records of the log of executions are lost" in server.log_text()


def test_a_slow_service_holds_up_nothing_and_a_stop_flushes(server, logs):
    client = server.client()
    machine = create(client, "slow", FAILING, log_to(level="FATAL"), type="EXPRESS")
    logs.delay_s = 0.5
    began = time.monotonic()
    for _ in range(10):
        client.start_execution(stateMachineArn=machine)
    assert time.monotonic() - began < 3
    assert server.stop() == 0
    assert len(logs.records(GROUP)) == 10


def test_without_an_endpoint_a_file_is_written(new_server):
    server = new_server()
    client = server.client()
    machine = create(client, "filed", pass_machine(2), log_to("any"), type="EXPRESS")
    execution = client.start_execution(stateMachineArn=machine, input='{"n":1}')["executionArn"]
    assert server.stop() == 0
    lines = (server.data_dir / "store/logs/executions.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["id"] for record in records] == ["1", "2", "3", "4", "5", "6"]
    assert {record["execution_arn"] for record in records} == {execution}


def test_configured_destinations(new_server, tmp_path):
    config = tmp_path / "stepwright.toml"
    config.write_text('[logging]\ndestination = "stdout"\n')
    server = new_server("stdout", config=config)
    machine = create(server.client(), "said", FAILING, log_to("any", "FATAL"))
    server.client().start_execution(stateMachineArn=machine)
    assert server.stop() == 0
    assert '"type":"ExecutionFailed"' in server.log_text()
    config.write_text('[logging]\ndestination = "off"\n')
    server = new_server("off", config=config)
    machine = create(server.client(), "silent", FAILING, log_to("any"))
    server.client().start_execution(stateMachineArn=machine)
    assert server.stop() == 0
    assert "ExecutionFailed" not in server.log_text() and not (server.data_dir / "store/logs").exists()


def test_what_functions_print(new_server, logs, tmp_path):
    (tmp_path / "app.py").write_text("def handler(event, context):\n    print('hello', event)\n    return event\n")
    config = tmp_path / "stepwright.toml"
    config.write_text(
        '[functions.greet]\nruntime = "python3.11"\nhandler = "app.handler"\ncode = "."\n[logging]\nfunctions = true\n'
    )
    server = new_server(config=config, environment={"AWS_ENDPOINT_URL_LOGS": logs.url})
    client = server.client()
    state = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:greet", "End": True}
    definition = json.dumps({"StartAt": "Greet", "States": {"Greet": state}})
    machine = client.create_state_machine(name="m", definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = Workflows(client).start(machine, 7)
    lines = logs.wait("/aws/lambda/greet", 4)
    assert [line.split(":")[0].split(" ")[0] for line in lines] == ["START", "hello", "END", "REPORT"]
    assert lines[1] == "hello 7\n"
    [stream] = logs.groups["/aws/lambda/greet"]
    query = urllib.parse.urlencode({"executionArn": execution, "stateName": "Greet"})
    with urllib.request.urlopen(f"{server.url}/function-logs?{query}") as answer:
        served = json.load(answer)["lines"]
    assert [line["message"] + "\n" for line in served] == lines
    assert {(line["logStreamName"], line["functionName"], line["stateName"]) for line in served} == {(stream, "greet", "Greet")}
