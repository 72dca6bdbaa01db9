"""The engine calls itself: nested executions, the service's own operations as tasks, and EXPRESS executions."""

import datetime
import json
import time

import botocore.exceptions
import pytest
from conftest import Workflows, assert_well_formed, event_types

PASS = {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": {"done": True}, "End": True}}}
FAIL = {"StartAt": "S", "States": {"S": {"Type": "Fail", "Error": "Broken", "Cause": "as asked"}}}
FOREVER = {"StartAt": "S", "States": {"S": {"Type": "Wait", "Seconds": 3600, "End": True}}}
NESTED = "arn:aws:states:::states:startExecution"
SDK = "arn:aws:states:::aws-sdk:sfn:"


def task(resource, arguments, **fields):
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True, **fields}
    return {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": state}}


def child_of(machine):
    return {"StateMachineArn": machine, "Input": {"a": [1, 2.50]}}


def only_execution(workflows, machine):
    (execution,) = workflows.client.list_executions(stateMachineArn=machine)["executions"]
    return execution


def wait_until(condition, limit_s=20):
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.01)
    return value


def test_a_child_is_started_and_not_awaited(workflows):
    child = workflows.create("rr-child", FOREVER)
    parent = workflows.create("rr-parent", task(NESTED, {**child_of(child), "Name": "mine"}))
    ended, history = workflows.run(parent)
    assert ended["status"] == "SUCCEEDED"
    output = json.loads(ended["output"])
    assert output["ExecutionArn"].endswith(":execution:rr-child:mine")
    assert isinstance(output["StartDate"], int)
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert event_types(history)[2:5] == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]
    assert json.loads(workflows.client.describe_execution(executionArn=output["ExecutionArn"])["input"]) == {"a": [1, 2.5]}
    # StartExecution is idempotent while the child runs.
    again, _ = workflows.run(parent)
    assert json.loads(again["output"])["ExecutionArn"] == output["ExecutionArn"]
    workflows.client.stop_execution(executionArn=output["ExecutionArn"])
    refused, _ = workflows.run(parent)
    assert (refused["status"], refused["error"]) == ("FAILED", "StepFunctions.ExecutionAlreadyExistsException")


@pytest.mark.parametrize("suffix, output", [(".sync", '{"done":true}'), (".sync:2", {"done": True})])
def test_a_child_is_awaited(workflows, suffix, output):
    name = "sync" + suffix[5:].replace(":", "-")
    child = workflows.create(f"{name}-child", PASS)
    parent = workflows.create(f"{name}-parent", task(NESTED + suffix, child_of(child)))
    ended, history = workflows.run(parent)
    assert_well_formed(history)
    assert event_types(history)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    result = json.loads(ended["output"])
    assert (result["Status"], result["Output"]) == ("SUCCEEDED", output)
    assert (result["RedriveCount"], result["RedriveStatus"]) == (0, "NOT_REDRIVABLE")
    assert result["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert result["ExecutionArn"] == only_execution(workflows, child)["executionArn"]


def test_a_child_that_fails_fails_its_task(workflows):
    child = workflows.create("failing-child", FAIL)
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    definition = task(NESTED + ".sync", child_of(child), Catch=catch)
    definition["States"]["Caught"] = {"Type": "Succeed"}
    ended, history = workflows.run(workflows.create("failing-parent", definition))
    output = json.loads(ended["output"])
    cause = json.loads(output["Cause"])
    assert (output["Error"], cause["Status"], cause["Error"], cause["Cause"]) == (
        "States.TaskFailed", "FAILED", "Broken", "as asked",
    )
    assert (cause["RedriveCount"], cause["RedriveStatus"], "RedriveStatusReason" in cause) == (0, "REDRIVABLE", False)


def test_a_child_answers_through_its_token(workflows):
    reply = task(SDK + "sendTaskSuccess", {"TaskToken": "{% $states.input.token %}", "Output": {"hello": "parent"}})
    child = workflows.create("token-child", reply)
    arguments = {"StateMachineArn": child, "Input": {"token": "{% $states.context.Task.Token %}"}}
    ended, history = workflows.run(workflows.create("token-parent", task(NESTED + ".waitForTaskToken", arguments)))
    assert json.loads(ended["output"]) == {"hello": "parent"}
    child_ended = workflows.wait(only_execution(workflows, child)["executionArn"])
    assert json.loads(child_ended["output"]) == {}


def test_stopping_the_parent_stops_the_child(workflows):
    child = workflows.create("stopped-child", FOREVER)
    parent = workflows.start(workflows.create("stopped-parent", task(NESTED + ".sync", child_of(child))))
    wait_until(lambda: workflows.client.list_executions(stateMachineArn=child)["executions"])
    wait_until(lambda: "TaskSubmitted" in event_types(workflows.history(parent)))
    workflows.client.stop_execution(executionArn=parent)
    assert workflows.wait(only_execution(workflows, child)["executionArn"])["status"] == "ABORTED"


@pytest.mark.parametrize("name", [None, "mine"])
def test_a_child_is_stopped_with_its_parent_also_after_a_crash(new_server, name):
    server = new_server()
    workflows = Workflows(server.client())
    child = workflows.create("child", FOREVER)
    arguments = {**child_of(child), **({"Name": f"{{% '{name}-' & $states.context.Execution.Name %}}"} if name else {})}
    machine = workflows.create("parent", task(NESTED + ".sync", arguments))
    for number in range(8):
        parent = workflows.start(machine, name=f"p{number}")
        if number % 2:
            wait_until(lambda: "TaskSubmitted" in event_types(workflows.history(parent)))
        workflows.client.stop_execution(executionArn=parent)
        server.kill()
        server.start()
        workflows = Workflows(server.client())
        assert workflows.wait(parent)["status"] == "ABORTED"

    def statuses():
        executions = workflows.client.list_executions(stateMachineArn=child)["executions"]
        return {execution["status"] for execution in executions}

    wait_until(lambda: statuses() <= {"ABORTED"})


def test_a_timeout_of_the_task_stops_the_child(workflows):
    child = workflows.create("late-child", FOREVER)
    parent = workflows.create("late-parent", task(NESTED + ".sync:2", child_of(child), TimeoutSeconds=1))
    ended, history = workflows.run(parent)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert event_types(history)[-2:] == ["TaskTimedOut", "ExecutionFailed"]
    assert workflows.wait(only_execution(workflows, child)["executionArn"])["status"] == "ABORTED"


@pytest.mark.parametrize("orderly", [True, False], ids=["stopped", "killed"])
def test_waiting_goes_on_after_a_restart(new_server, orderly):
    server = new_server()
    workflows = Workflows(server.client())
    child = workflows.create("child", {"StartAt": "S", "States": {"S": {"Type": "Wait", "Seconds": 2, "End": True}}})
    parent = workflows.start(workflows.create("parent", task(NESTED + ".sync:2", child_of(child))))
    wait_until(lambda: "TaskSubmitted" in event_types(workflows.history(parent)))
    server.stop() if orderly else server.kill()
    server.start()
    workflows = Workflows(server.client())
    assert workflows.wait(parent)["status"] == "SUCCEEDED"
    assert event_types(workflows.history(parent)).count("TaskSubmitted") == 1
    assert only_execution(workflows, child)["status"] == "SUCCEEDED"


def test_a_repeated_start_after_a_crash_finds_the_child(new_server):
    server = new_server()
    workflows = Workflows(server.client())
    child = workflows.create("child", PASS)
    items = {
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "Items": list(range(40)),
                "ItemProcessor": {
                    "StartAt": "Call",
                    "States": {"Call": {"Type": "Task", "Resource": NESTED + ".sync", "Arguments": child_of(child), "End": True}},
                },
                "End": True,
            }
        },
    }
    parents = [workflows.start(workflows.create(f"parent-{number}", items)) for number in range(4)]
    for _ in range(3):
        server.kill()
        server.start()
    workflows = Workflows(server.client())
    assert {workflows.wait(parent)["status"] for parent in parents} == {"SUCCEEDED"}
    pages = workflows.client.get_paginator("list_executions").paginate(stateMachineArn=child)
    assert sum(len(page["executions"]) for page in pages) == 160


def test_many_parents_do_not_block_each_other(workflows):
    grandchild = workflows.create("deep-3", PASS)
    child = workflows.create("deep-2", task(NESTED + ".sync:2", child_of(grandchild)))
    parent = workflows.create("deep-1", task(NESTED + ".sync:2", child_of(child)))
    executions = [workflows.start(parent) for _ in range(50)]
    assert {workflows.wait(execution)["status"] for execution in executions} == {"SUCCEEDED"}


def test_any_operation_as_a_task(workflows):
    machine = workflows.create("described", PASS)
    ended, _ = workflows.run(workflows.create("describes", task(SDK + "describeStateMachine", {"StateMachineArn": machine})))
    output = json.loads(ended["output"])
    assert (output["Name"], output["Status"], output["Type"]) == ("described", "ACTIVE", "STANDARD")
    assert json.loads(output["Definition"]) == PASS
    datetime.datetime.fromisoformat(output["CreationDate"])
    assert "SdkHttpMetadata" not in output


def test_errors_have_the_name_that_the_integration_gives_them(workflows):
    missing = "arn:aws:states:us-east-1:123456789012:stateMachine:missing"
    for name, resource, error in [
        ("sdk", SDK + "startExecution", "Sfn.StateMachineDoesNotExistException"),
        ("optimised", NESTED, "StepFunctions.StateMachineDoesNotExistException"),
        ("job", NESTED + ".sync", "StepFunctions.StateMachineDoesNotExistException"),
    ]:
        ended, history = workflows.run(workflows.create(f"missing-{name}", task(resource, {"StateMachineArn": missing})))
        assert (ended["status"], ended["error"]) == ("FAILED", error)
        assert ended["cause"].startswith(f"State Machine Does Not Exist: '{missing}' (Service: ")
        assert "TaskFailed" in event_types(history)


# EXPRESS


def sync(workflows, machine, input=None, **options):
    return workflows.client.start_sync_execution(stateMachineArn=machine, input=json.dumps(input or {}), **options)


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_express_from_start_to_end(workflows):
    machine = workflows.create("express", PASS, type="EXPRESS")
    answer = sync(workflows, machine, {"a": 1}, name="one")
    assert (answer["status"], json.loads(answer["output"]), answer["name"]) == ("SUCCEEDED", {"done": True}, "one")
    assert answer["executionArn"].split(":")[5:8] == ["express", "express", "one"]
    assert answer["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100}
    assert answer["stopDate"] >= answer["startDate"]
    without = sync(workflows, machine, {"a": 1}, includedData="METADATA_ONLY")
    assert "output" not in without and "input" not in without
    assert sync(workflows, machine, name="one")["executionArn"] != answer["executionArn"]


def test_express_fails_waits_and_calls(workflows):
    failed = sync(workflows, workflows.create("express-fails", FAIL, type="EXPRESS"))
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "Broken", "as asked")
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "S"}, "S": PASS["States"]["S"]}}
    waited = sync(workflows, workflows.create("express-waits", waits, type="EXPRESS"))
    assert waited["status"] == "SUCCEEDED" and waited["billingDetails"]["billedDurationInMilliseconds"] >= 1000
    inner = workflows.create("express-inner", PASS, type="EXPRESS")
    outer = workflows.create("express-outer", task(SDK + "startSyncExecution", {"StateMachineArn": inner}), type="EXPRESS")
    called = json.loads(sync(workflows, outer)["output"])
    assert (called["Status"], called["Output"]) == ("SUCCEEDED", '{"done":true}')


def test_express_is_ended_by_its_time_limit(workflows):
    machine = workflows.create("express-late", {**FOREVER, "TimeoutSeconds": 1}, type="EXPRESS")
    answer = sync(workflows, machine)
    assert (answer["status"], answer["error"]) == ("TIMED_OUT", "States.Timeout")


def test_express_leaves_nothing_behind(workflows):
    client = workflows.client
    machine = workflows.create("express-gone", FOREVER, type="EXPRESS")
    arn = client.start_execution(stateMachineArn=machine, name="x")["executionArn"]
    assert ":express:express-gone:x:" in arn
    other = ("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")
    assert refusal(client.describe_execution, executionArn=arn) == other
    assert refusal(client.get_execution_history, executionArn=arn) == other
    assert refusal(client.stop_execution, executionArn=arn) == other
    assert refusal(client.list_executions, stateMachineArn=machine)[0] == "StateMachineTypeNotSupported"
    standard = workflows.create("not-express", PASS)
    assert refusal(client.start_sync_execution, stateMachineArn=standard)[0] == "StateMachineTypeNotSupported"
    parent = workflows.create("waits-for-express", task(NESTED + ".sync", child_of(machine)))
    assert workflows.run(parent)[0]["error"] == "StepFunctions.StateMachineTypeNotSupportedException"
