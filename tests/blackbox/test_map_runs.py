"""Distributed Maps: children as executions of their own, map runs and their operations, crashes and redrives."""

import json
import time

import botocore.exceptions
import pytest
from conftest import Workflows, assert_well_formed, event_types

PASS = {"A": {"Type": "Pass", "End": True}}
WAIT = {"A": {"Type": "Wait", "Seconds": 3600, "End": True}}


def distributed(kind, states, start="A", **fields):
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}, "StartAt": start, "States": states}
    state = {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "M", "States": {"M": state}}


def wait_until(condition, limit_s=20):
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.01)
    return value


def runs_of(workflows, execution):
    pages = workflows.client.get_paginator("list_map_runs").paginate(executionArn=execution)
    return [run for page in pages for run in page["mapRuns"]]


def describe(workflows, execution):
    (run,) = wait_until(lambda: runs_of(workflows, execution))
    return workflows.client.describe_map_run(mapRunArn=run["mapRunArn"])


def children(workflows, map_run, **filters):
    pages = workflows.client.get_paginator("list_executions").paginate(mapRunArn=map_run, **filters)
    return [child for page in pages for child in page["executions"]]


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_thousand_items(workflows, kind):
    machine = workflows.create(f"thousand-{kind}", distributed(kind, PASS))
    execution = workflows.start(machine, list(range(1000)))
    ended = workflows.wait(execution)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", list(range(1000)))
    history = workflows.history(execution)
    assert_well_formed(history)
    assert event_types(history)[1:6] == [
        "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunSucceeded", "MapStateSucceeded",
    ]
    (run,) = runs_of(workflows, execution)
    assert run["executionArn"] == execution
    assert run["stateMachineArn"] == machine + "/each"
    assert run["mapRunArn"] == history[3]["mapRunStartedEventDetails"]["mapRunArn"]
    described = describe(workflows, execution)
    for counts in ("itemCounts", "executionCounts"):
        found = described[counts]
        assert (found["succeeded"], found["total"], found["resultsWritten"]) == (1000, 1000, 1000)
        assert (found["pending"], found["running"], found["failed"]) == (0, 0, 0)
    assert (described["status"], described["maxConcurrency"], described["toleratedFailureCount"]) == ("SUCCEEDED", 0, 0)
    listed = children(workflows, run["mapRunArn"])
    assert len({child["executionArn"] for child in listed}) == 1000
    child = listed[0]
    assert (child["mapRunArn"], child["itemCount"], child["status"]) == (run["mapRunArn"], 1, "SUCCEEDED")
    shown = workflows.client.describe_execution(executionArn=child["executionArn"])
    assert (shown["mapRunArn"], shown["stateMachineArn"]) == (run["mapRunArn"], machine + "/each")
    assert shown["input"] == shown["output"]
    # They are no executions of the machine itself.
    assert len(workflows.client.list_executions(stateMachineArn=machine)["executions"]) == 1
    if kind == "STANDARD":
        history = workflows.history(child["executionArn"])
        assert_well_formed(history)
        assert event_types(history) == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
        revision = workflows.client.describe_state_machine_for_execution(executionArn=child["executionArn"])
        assert (revision["label"], revision["mapRunArn"]) == ("each", run["mapRunArn"])
        assert json.loads(revision["definition"])["StartAt"] == "A"
    else:
        with pytest.raises(botocore.exceptions.ClientError, match="InvalidArn"):
            workflows.client.get_execution_history(executionArn=child["executionArn"])


def test_context_of_a_child(workflows):
    context = {"A": {"Type": "Pass", "Parameters": {"e.$": "$$.Execution", "m.$": "$$.StateMachine"}, "End": True}}
    machine = workflows.create("map-context", distributed("STANDARD", context))
    execution = workflows.start(machine, ["item"])
    (found,) = json.loads(workflows.wait(execution)["output"])
    assert found["m"] == {"Id": machine + "/each", "Name": "map-context/each"}
    assert found["e"]["Input"] == "item"
    assert found["e"]["Id"] == children(workflows, runs_of(workflows, execution)[0]["mapRunArn"])[0]["executionArn"]


def test_limits_are_changed_while_it_runs(workflows):
    machine = workflows.create("map-limits", distributed("STANDARD", WAIT, MaxConcurrency=2))
    execution = workflows.start(machine, list(range(100)))
    wait_until(lambda: describe(workflows, execution)["itemCounts"]["running"] == 2)
    described = describe(workflows, execution)
    assert (described["status"], described["itemCounts"]["pending"]) == ("RUNNING", 98)
    arn = described["mapRunArn"]
    workflows.client.update_map_run(mapRunArn=arn, maxConcurrency=30, toleratedFailureCount=1)
    wait_until(lambda: describe(workflows, execution)["itemCounts"]["running"] == 30)
    running = children(workflows, arn, statusFilter="RUNNING")
    for child in running[:2]:
        workflows.client.stop_execution(executionArn=child["executionArn"], error="Why", cause="not")
    ended = workflows.wait(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    described = describe(workflows, execution)
    assert (described["status"], described["itemCounts"]["running"]) == ("FAILED", 0)
    assert described["itemCounts"]["aborted"] >= 30
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        workflows.client.update_map_run(mapRunArn=arn, maxConcurrency=1)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["reason"] == "CANNOT_UPDATE_COMPLETED_MAP_RUN"


def test_stopping_the_execution_stops_the_run(workflows):
    machine = workflows.create("map-stopped", distributed("STANDARD", WAIT))
    execution = workflows.start(machine, list(range(50)))
    wait_until(lambda: describe(workflows, execution)["itemCounts"]["running"] == 50)
    workflows.client.stop_execution(executionArn=execution)
    wait_until(lambda: describe(workflows, execution)["status"] == "ABORTED")
    described = describe(workflows, execution)
    assert described["itemCounts"]["aborted"] == 50
    assert {child["status"] for child in children(workflows, described["mapRunArn"])} == {"ABORTED"}
    assert event_types(workflows.history(execution))[-2:] == ["MapRunStarted", "ExecutionAborted"]


def test_batches(workflows):
    fields = {"ItemBatcher": {"MaxItemsPerBatch": 3, "BatchInput": {"k": 1}}}
    machine = workflows.create("map-batches", distributed("STANDARD", PASS, **fields))
    execution = workflows.start(machine, list(range(7)))
    output = json.loads(workflows.wait(execution)["output"])
    assert output == [{"BatchInput": {"k": 1}, "Items": items} for items in ([0, 1, 2], [3, 4, 5], [6])]
    described = describe(workflows, execution)
    assert (described["itemCounts"]["total"], described["executionCounts"]["total"]) == (7, 3)
    assert sorted(child["itemCount"] for child in children(workflows, described["mapRunArn"])) == [1, 3, 3]


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_kill_in_the_middle(new_server, kind):
    server = new_server()
    workflows = Workflows(server.client())
    states = {"A": {"Type": "Wait", "Seconds": 1, "End": True}}
    machine = workflows.create("map-killed", distributed(kind, states, MaxConcurrency=40))
    execution = workflows.start(machine, list(range(200)))
    wait_until(lambda: describe(workflows, execution)["itemCounts"]["succeeded"] >= 40)
    server.kill()
    server.start()
    workflows = Workflows(server.client())
    before = [child for child in children(workflows, describe(workflows, execution)["mapRunArn"]) if child["status"] == "SUCCEEDED"]
    assert len(before) >= 40
    ended = workflows.wait(execution)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", list(range(200)))
    described = describe(workflows, execution)
    assert (described["itemCounts"]["succeeded"], described["executionCounts"]["total"]) == (200, 200)
    after = {child["executionArn"]: child for child in children(workflows, described["mapRunArn"])}
    assert all(after[child["executionArn"]] == child for child in before), "what had ended stays as it was"


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_redrive(workflows, kind):
    # It fails until it is redriven: a child of a redriven run sees that in its context, or begins anew later.
    early = {"Variable": "$$.Execution.StartTime", "IsPresent": True, "Next": "C"}
    states = {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericLessThan": 3, "Next": "B"}], "Default": "P"},
        "B": {"Type": "Choice", "Choices": [early], "Default": "P"},
        "C": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:describeActivity",
              "Parameters": {"ActivityArn": f"arn:aws:states:us-east-1:123456789012:activity:redrive-{kind}"},
              "ResultPath": None, "Next": "P"},
        "P": {"Type": "Pass", "End": True},
    }
    machine = workflows.create(f"map-redriven-{kind}", distributed(kind, states, MaxConcurrency=1, ToleratedFailureCount=2))
    execution = workflows.start(machine, list(range(10)))
    ended = workflows.wait(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    counts = describe(workflows, execution)["itemCounts"]
    assert (counts["failed"], counts["total"]) == (3, 10)
    failed = children(workflows, describe(workflows, execution)["mapRunArn"], statusFilter="FAILED")
    shown = workflows.client.describe_execution(executionArn=failed[0]["executionArn"])
    assert shown["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    # Now it would go well.
    workflows.client.create_activity(name=f"redrive-{kind}")
    workflows.client.redrive_execution(executionArn=execution)
    ended = workflows.wait(execution)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", list(range(10)))
    assert "MapRunRedriven" in event_types(workflows.history(execution))
    described = describe(workflows, execution)
    assert (described["redriveCount"], described["status"]) == (1, "SUCCEEDED")
    assert described["redriveDate"] > described["startDate"]
    assert described["itemCounts"]["succeeded"] == 10
    redriven = children(workflows, described["mapRunArn"], redriveFilter="REDRIVEN")
    assert {child["executionArn"] for child in redriven} == {child["executionArn"] for child in failed}
    assert all(child["redriveCount"] == 1 for child in redriven)


def test_what_does_not_exist(workflows):
    missing = "arn:aws:states:us-east-1:123456789012:mapRun:m/l:91778ae9-0c52-49dd-b9b7-f8a40bf33042"
    for call in (
        lambda: workflows.client.describe_map_run(mapRunArn=missing),
        lambda: workflows.client.update_map_run(mapRunArn=missing, maxConcurrency=1),
        lambda: workflows.client.list_executions(mapRunArn=missing),
    ):
        with pytest.raises(workflows.client.exceptions.ResourceNotFound):
            call()
