"""EXPRESS executions, synchronous and not, and what AWS refuses of them."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import botocore.config
import boto3
import botocore.exceptions
import pytest
from conftest import ROLE, pass_machine

WAITING = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def refused(call, code, message, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert (error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]) == (code, message)


def inspect(server, path):
    try:
        with urllib.request.urlopen(f"{server.url}/express-executions{path}") as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)


def test_a_synchronous_execution(workflows, sfn):
    name = unique("sync")
    machine = workflows.create(name, pass_machine(5), type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=machine, name="a", input='{"n": 1}', traceHeader="Root=1-a")
    base = machine.replace(":stateMachine:", ":express:") + ":a:"
    assert answer["executionArn"].startswith(base) and uuid.UUID(answer["executionArn"].removeprefix(base))
    assert answer["stopDate"] >= answer["startDate"]
    expected = {
        "stateMachineArn": machine, "name": "a", "status": "SUCCEEDED", "input": '{"n": 1}', "output": '{"n": 1}',
        "inputDetails": {"included": True}, "outputDetails": {"included": True}, "traceHeader": "Root=1-a",
        "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100},
    }
    assert {key: answer[key] for key in expected} == expected
    # Names are not unique.
    again = sfn.start_sync_execution(stateMachineArn=machine, name="a")
    assert again["executionArn"] != answer["executionArn"] and again["input"] == "{}"
    bare = sfn.start_sync_execution(stateMachineArn=machine, input='{"n": 1}', includedData="METADATA_ONLY")
    assert not {"input", "output"} & bare.keys()
    assert bare["inputDetails"] == {"included": False} and bare["outputDetails"] == {"included": False}


def test_the_host_prefix_of_aws(shared_server):
    client = boto3.client(
        "stepfunctions", endpoint_url=shared_server.url.replace("127.0.0.1", "localhost"), region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test", config=botocore.config.Config(retries={"max_attempts": 1}),
    )
    machine = client.create_state_machine(
        name=unique("prefix"), definition=json.dumps(pass_machine()), roleArn=ROLE, type="EXPRESS"
    )["stateMachineArn"]
    seen = []
    client.meta.events.register("before-send.sfn.*", lambda request, **_: seen.append(request.url))
    try:
        assert client.start_sync_execution(stateMachineArn=machine)["status"] == "SUCCEEDED"
    except botocore.exceptions.EndpointConnectionError:
        # The name `sync-localhost` leads nowhere here: send the request with that name as its `Host`.
        status, _, body = shared_server.post(
            "AWSStepFunctions.StartSyncExecution", {"stateMachineArn": machine}, {"Host": "sync-states.us-east-1.amazonaws.com"}
        )
        assert status == 200 and json.loads(body)["status"] == "SUCCEEDED"
    assert seen and "://sync-localhost" in seen[0]


def test_unsuccessful_ends(workflows, sfn):
    machine = workflows.create(
        unique("fails"), {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}}, type="EXPRESS"
    )
    answer = sfn.start_sync_execution(stateMachineArn=machine)
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "E", "C")
    assert "output" not in answer and answer["outputDetails"] == {"included": True}
    machine = workflows.create(unique("late"), {**WAITING, "TimeoutSeconds": 1, "States": {"W": {"Type": "Wait", "Seconds": 9, "End": True}}}, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=machine)
    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")
    assert answer["billingDetails"]["billedDurationInMilliseconds"] >= 1000
    assert answer["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0


def test_what_belongs_to_the_other_type(workflows, sfn):
    unsupported = "This operation is not supported by this type of state machine"
    standard = workflows.create(unique("standard"), pass_machine())
    refused(sfn.start_sync_execution, "StateMachineTypeNotSupported", unsupported, stateMachineArn=standard)
    express = workflows.create(unique("express"), pass_machine(), type="EXPRESS")
    refused(sfn.list_executions, "StateMachineTypeNotSupported", unsupported, stateMachineArn=express)
    execution = sfn.start_execution(stateMachineArn=express, name="a")["executionArn"]
    for call in (
        sfn.describe_execution, sfn.stop_execution, sfn.get_execution_history, sfn.redrive_execution,
        sfn.describe_state_machine_for_execution, sfn.list_map_runs,
    ):
        message = "Invalid Arn: 'Resource type not valid in this context: express'"
        refused(call, "InvalidArn", message, executionArn=execution)


def test_definitions_that_express_cannot_run(workflows, sfn):
    def task(resource, **parameters):
        state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
        return {"StartAt": "T", "States": {"T": state}}

    machine = workflows.create(unique("updated"), pass_machine(), type="EXPRESS")
    for definition, message in [
        (task("arn:aws:states:::states:startExecution.sync", StateMachineArn="x"), "'.sync' service integration at"),
        (task("arn:aws:states:::states:startExecution.sync:2", StateMachineArn="x"), "'.sync' service integration at"),
        (
            task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", QueueUrl="x", MessageBody="x"),
            "'.waitForTaskToken' service integration  at",
        ),
        (task("arn:aws:states:us-east-1:123456789012:activity:a"), "Activity ARN at"),
    ]:
        whole = (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Express state machine does not support "
            f"{message} /States/T/Resource'"
        )
        text = json.dumps(definition)
        refused(
            sfn.create_state_machine, "InvalidDefinition", whole,
            name=unique("no"), definition=text, roleArn=ROLE, type="EXPRESS",
        )
        refused(sfn.update_state_machine, "InvalidDefinition", whole, stateMachineArn=machine, definition=text)
        # The same is fine for the other type.
        workflows.create(unique("yes"), definition)


def test_the_last_ones_can_be_looked_into(shared_server, workflows, sfn):
    machine = workflows.create(unique("kept"), WAITING, type="EXPRESS")
    first = sfn.start_execution(stateMachineArn=machine, name="first", input='{"n": 1}')["executionArn"]
    second = sfn.start_sync_execution(stateMachineArn=machine, name="second")["executionArn"]
    query = "?stateMachineArn=" + urllib.parse.quote(machine)
    deadline = time.monotonic() + 10
    while len(inspect(shared_server, query)[1]["executions"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    status, listing = inspect(shared_server, query)
    assert status == 200
    assert {item["executionArn"] for item in listing["executions"]} == {first, second}
    assert len(inspect(shared_server, query + "&maxResults=1")[1]["executions"]) == 1
    for path in ("/" + first, "/" + urllib.parse.quote(first, safe="")):
        status, found = inspect(shared_server, path)
        assert status == 200 and found["name"] == "first" and found["status"] == "SUCCEEDED"
        assert found["stopDate"] - found["startDate"] >= 1
        assert (found["input"], found["output"], found["eventsTruncated"]) == ('{"n": 1}', '{"n": 1}', False)
        assert [(event["id"], event["type"]) for event in found["events"]] == [
            (1, "ExecutionStarted"), (2, "WaitStateEntered"), (3, "WaitStateExited"), (4, "ExecutionSucceeded"),
        ]
        assert found["events"][3]["executionSucceededEventDetails"]["output"] == '{"n": 1}'
    assert inspect(shared_server, "/" + first + "x")[0] == 404
    assert inspect(shared_server, "?stateMachineArn=none")[1] == {"executions": []}
    # A web page of somebody else may not look.
    request = urllib.request.Request(f"{shared_server.url}/express-executions", headers={"Origin": "https://example.com"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 403
