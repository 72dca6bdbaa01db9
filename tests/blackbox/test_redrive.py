"""Redrives: what failed goes on where it failed."""

import json
import time

import botocore.exceptions
import pytest
from conftest import Workflows, assert_well_formed, aws_cli, event_types

NESTED = "arn:aws:states:::states:startExecution"


def activity_machine(activity, **fields):
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True, **fields}}}


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def answer(client, activity, output=None, error=None):
    """Takes the next task of the activity and answers it. Returns its input."""
    task = client.get_activity_task(activityArn=activity)
    if error:
        client.send_task_failure(taskToken=task["taskToken"], error=error, cause="why")
    else:
        client.send_task_success(taskToken=task["taskToken"], output=json.dumps(output))
    return json.loads(task["input"])


def test_an_execution_goes_on_where_it_failed(workflows):
    client = workflows.client
    activity = client.create_activity(name="redrive-work")["activityArn"]
    definition = {
        "StartAt": "P",
        "States": {
            "P": {"Type": "Pass", "Result": {"from": "P"}, "Next": "T"},
            "T": {"Type": "Task", "Resource": activity, "ResultPath": "$.result", "Next": "C"},
            "C": {"Type": "Pass", "Parameters": {"count.$": "$$.Execution.RedriveCount", "result.$": "$.result"}, "End": True},
        },
    }
    machine = workflows.create("redriven", definition)
    execution = workflows.start(machine)
    assert answer(client, activity, error="Bad") == {"from": "P"}
    failed = workflows.wait(execution)
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    assert "redriveDate" not in failed and "redriveStatusReason" not in failed
    # Whatever the machine is now, the execution goes on with what it was started with.
    client.update_state_machine(stateMachineArn=machine, definition=json.dumps({"StartAt": "X", "States": {"X": {"Type": "Succeed"}}}))
    redriven = client.redrive_execution(executionArn=execution)["redriveDate"]
    running = client.describe_execution(executionArn=execution)
    assert (running["status"], running["redriveCount"], running["redriveDate"]) == ("RUNNING", 1, redriven)
    assert running["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert not {"stopDate", "error", "cause"} & set(running)
    assert refusal(client.redrive_execution, executionArn=execution) == (
        "ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven",
    )
    assert answer(client, activity, output=7) == {"from": "P"}
    ended = workflows.wait(execution)
    assert json.loads(ended["output"]) == {"count": 1, "result": 7}
    assert (ended["redriveCount"], ended["redriveStatus"]) == (1, "NOT_REDRIVABLE")
    assert ended["stopDate"] >= redriven
    history = workflows.history(execution)
    assert_well_formed(history)
    kinds = event_types(history)
    at = kinds.index("ExecutionRedriven")
    assert kinds[at - 1 : at + 2] == ["ExecutionFailed", "ExecutionRedriven", "ActivityScheduled"]
    assert history[at]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert (kinds.count("PassStateEntered"), kinds.count("TaskStateEntered")) == (2, 1)
    assert refusal(client.redrive_execution, executionArn=execution) == (
        "ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven",
    )


def test_branches_and_iterations(workflows):
    client = workflows.client
    activity = client.create_activity(name="redrive-items")["activityArn"]
    iteration = activity_machine(activity)
    definition = {
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "Once", "States": {"Once": {"Type": "Pass", "Result": "kept", "End": True}}},
                    {
                        "StartAt": "Each",
                        "States": {"Each": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": iteration, "End": True}},
                    },
                ],
                "End": True,
            }
        },
    }
    execution = workflows.start(workflows.create("redriven-lines", definition), {"items": [1, 2, 3]})
    assert answer(client, activity, output="a") == 1
    assert answer(client, activity, error="Bad") == 2
    assert workflows.wait(execution)["error"] == "Bad"
    client.redrive_execution(executionArn=execution)
    assert answer(client, activity, error="Bad") == 2
    assert workflows.wait(execution)["redriveCount"] == 1
    client.redrive_execution(executionArn=execution)
    assert answer(client, activity, output="b") == 2
    assert answer(client, activity, output="c") == 3
    assert json.loads(workflows.wait(execution)["output"]) == ["kept", ["a", "b", "c"]]
    history = workflows.history(execution)
    assert_well_formed(history)
    assert event_types(history).count("MapIterationStarted") == 3
    assert event_types(history).count("PassStateEntered") == 1


@pytest.mark.parametrize("crash", [False, True], ids=["alive", "killed"])
def test_a_client_token_stands_for_one_redrive(new_server, crash):
    server = new_server()
    workflows = Workflows(server.client())
    client = workflows.client
    activity = client.create_activity(name="work")["activityArn"]
    execution = workflows.start(workflows.create("m", activity_machine(activity)))
    answer(client, activity, error="Bad")
    workflows.wait(execution)
    date = client.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"]
    if crash:
        server.kill()
        server.start()
        client = server.client()
    assert client.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == date
    assert refusal(client.redrive_execution, executionArn=execution, clientToken="two")[0] == "ExecutionNotRedrivable"
    answer(client, activity, error="Bad")
    assert Workflows(client).wait(execution)["redriveCount"] == 1
    assert client.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == date
    assert client.describe_execution(executionArn=execution)["status"] == "FAILED"
    assert client.redrive_execution(executionArn=execution, clientToken="two")["redriveDate"] > date
    answer(client, activity, output=1)
    assert Workflows(client).wait(execution)["status"] == "SUCCEEDED"


def test_refusals(workflows):
    client = workflows.client
    machine = workflows.create("redrive-refused", {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}})
    execution = workflows.start(machine, name="x")
    workflows.wait(execution)
    # A Fail state fails again.
    client.redrive_execution(executionArn=execution)
    again = workflows.wait(execution)
    assert (again["status"], again["error"], again["redriveCount"]) == ("FAILED", "E", 1)
    assert event_types(workflows.history(execution))[-3:] == ["ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]
    missing = execution[:-1] + "y"
    assert refusal(client.redrive_execution, executionArn=missing) == ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{missing}'")
    for wrong in (machine, "nonsense"):
        assert refusal(client.redrive_execution, executionArn=wrong)[0] == "InvalidArn"
    assert refusal(client.redrive_execution, executionArn=execution, clientToken="x" * 65)[0] == "ValidationException"
    express = workflows.create("redrive-express", {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}, type="EXPRESS")
    arn = client.start_execution(stateMachineArn=express)["executionArn"]
    assert refusal(client.redrive_execution, executionArn=arn)[0] == "InvalidArn"
    # It goes with its state machine.
    client.delete_state_machine(stateMachineArn=machine)
    assert refusal(client.redrive_execution, executionArn=execution)[0] == "ExecutionDoesNotExist"


def test_listing(workflows):
    client = workflows.client
    machine = workflows.create("redrive-listed", {"StartAt": "F", "States": {"F": {"Type": "Fail"}}})
    executions = [workflows.start(machine, name=str(number)) for number in range(5)]
    for execution in executions:
        workflows.wait(execution)
    for number in (1, 3):
        client.redrive_execution(executionArn=executions[number])

    # As on AWS: the filter is for the children of a map run.
    code, message = refusal(client.list_executions, stateMachineArn=machine, redriveFilter="REDRIVEN")
    assert (code, message) == ("ValidationException", "mapRunArn must be specified when redriveFilter is specified")
    listed = {item["name"]: item for item in client.list_executions(stateMachineArn=machine)["executions"]}
    assert [listed[name]["redriveCount"] for name in "01234"] == [0, 1, 0, 1, 0]
    assert "redriveDate" in listed["1"] and "redriveDate" not in listed["0"]


def test_an_aborted_and_a_timed_out_execution(workflows):
    client = workflows.client
    definition = {"TimeoutSeconds": 1, "StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.s", "End": True}}}
    execution = workflows.start(workflows.create("redrive-late", definition), {"s": 2})
    assert workflows.wait(execution)["status"] == "TIMED_OUT"
    client.redrive_execution(executionArn=execution)
    assert workflows.wait(execution)["status"] == "TIMED_OUT"
    machine = workflows.create("redrive-aborted", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}})
    execution = workflows.start(machine)
    client.stop_execution(executionArn=execution, error="Stop", cause="it")
    redriven = time.monotonic()
    client.redrive_execution(executionArn=execution)
    ended = workflows.wait(execution)
    assert ended["status"] == "SUCCEEDED" and "error" not in ended
    assert time.monotonic() - redriven > 0.9
    assert event_types(workflows.history(execution))[2:] == [
        "ExecutionAborted", "ExecutionRedriven", "WaitStateExited", "ExecutionSucceeded",
    ]


def test_a_redriven_parent_starts_a_new_child(workflows):
    client = workflows.client
    activity = client.create_activity(name="redrive-child-work")["activityArn"]
    child = workflows.create("redrive-child", activity_machine(activity))
    state = {"Type": "Task", "Resource": NESTED + ".sync:2", "Parameters": {"StateMachineArn": child, "Input": {}}, "OutputPath": "$.Output", "End": True}
    parent = workflows.start(workflows.create("redrive-parent", {"StartAt": "N", "States": {"N": state}}))
    answer(client, activity, error="Bad")
    assert workflows.wait(parent)["error"] == "States.TaskFailed"
    client.redrive_execution(executionArn=parent)
    answer(client, activity, output=1)
    assert json.loads(workflows.wait(parent)["output"]) == 1
    children = client.list_executions(stateMachineArn=child)["executions"]
    assert [item["status"] for item in children] == ["SUCCEEDED", "FAILED"]


def test_a_task_redrives(workflows):
    client = workflows.client
    failing = workflows.start(workflows.create("redrive-by-task", {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}))
    workflows.wait(failing)
    state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:redriveExecution", "Parameters": {"ExecutionArn": failing}, "End": True}
    ended, _ = workflows.run(workflows.create("redrives", {"StartAt": "R", "States": {"R": state}}))
    assert ended["status"] == "SUCCEEDED" and "RedriveDate" in json.loads(ended["output"])
    assert workflows.wait(failing)["redriveCount"] == 1


def test_with_the_command_line(new_server):
    server = new_server()
    workflows = Workflows(server.client())
    execution = workflows.start(workflows.create("m", {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}))
    workflows.wait(execution)
    assert "redriveDate" in json.loads(aws_cli(server, "stepfunctions", "redrive-execution", "--execution-arn", execution).stdout)
