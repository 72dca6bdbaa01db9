"""Each of the 37 operations, through each client: a table of calls and of what they answer."""

import json
import re
import time
import uuid

import botocore.session
import pytest
from clients import CLIENTS, Refused
from conftest import ROLE

WAIT_LIMIT_S = 20


class Any:
    """Some value of this form."""

    def __init__(self, pattern=r"(?s).*"):
        self.pattern = pattern

    def __eq__(self, other):
        return re.fullmatch(self.pattern, other if isinstance(other, str) else json.dumps(other)) is not None

    def __repr__(self):
        return f"<{self.pattern}>"


ANY = Any()
# The command line shows seconds since 1970.
DATE = Any(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*|\d{10}(\.\d+)?")
UUID = Any(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOKEN = Any(r"\S{20,}")
DATA = {"included": True}
NO_DATA = {"included": False}
OWNED = {"type": "AWS_OWNED_KEY"}
NOTHING = {}

PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
PASS_2 = json.dumps({"Comment": "2", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
VARIABLES = json.dumps(
    {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
            "B": {"Type": "Pass", "Output": "{% $x %}", "End": True},
        },
    }
)
FAIL = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": "C"}}})
WAIT = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": True}}})
MAP = json.dumps(
    {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "Label": "Items",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "W",
                    "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}},
                },
                "End": True,
            }
        },
    }
)


def work(activity):
    return json.dumps({"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": activity, "End": True}}})


def machine_of(name, definition=PASS, **more):
    return {
        "stateMachineArn": "{machine}", "name": name, "status": "ACTIVE", "definition": definition, "roleArn": ROLE,
        "type": "STANDARD", "creationDate": DATE, "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False}, "encryptionConfiguration": OWNED, **more,
    }


class Run:
    """Calls through one client; names stand for what earlier calls have answered."""

    def __init__(self, client):
        self.client = client
        self.names = {"id": uuid.uuid4().hex[:8]}
        self.called = set()

    def fill(self, value):
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda found: self.names.get(found[1], found[0]), value)
        return value

    def call(self, operation, arguments, expected=ANY, save=None, until=None):
        """Calls and compares. `save`: name: member; `until`: a member and its value, to be waited for."""
        self.called.add(operation)
        deadline = time.monotonic() + WAIT_LIMIT_S
        while True:
            answer = self.client.call(operation, self.fill(arguments))
            if until is None or answer.get(until[0]) == until[1]:
                break
            assert time.monotonic() < deadline, f"{operation}: {answer}"
            time.sleep(0.02)
        if isinstance(expected, Any):
            assert expected == answer
        else:
            assert answer == self.fill(expected), operation
        for name, member in (save or {}).items():
            self.names[name] = answer[member]
        return answer

    def refused(self, operation, arguments, code):
        with pytest.raises(Refused) as refused:
            self.client.call(operation, self.fill(arguments))
        assert refused.value.code == code, refused.value

    def pages(self, operation, arguments, page_size):
        return self.client.pages(operation, self.fill(arguments), page_size)


def machines(run):
    name = f"machine-{run.names['id']}"
    run.call("ValidateStateMachineDefinition", {"definition": PASS}, {"result": "OK", "diagnostics": [], "truncated": False})
    broken = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Pass", "Next": "D"}}})
    found = run.call("ValidateStateMachineDefinition", {"definition": broken, "severity": "ERROR", "maxResults": 1})
    assert (found["result"], found["truncated"]) == ("FAIL", True)
    run.call(
        "CreateStateMachine",
        {"name": name, "definition": PASS, "roleArn": ROLE, "tags": [{"key": "k", "value": "v"}]},
        {"stateMachineArn": Any(rf"arn:aws:states:.*:stateMachine:{name}"), "creationDate": DATE},
        save={"machine": "stateMachineArn"},
    )
    run.call("DescribeStateMachine", {"stateMachineArn": "{machine}"}, machine_of(name))
    run.call(
        "DescribeStateMachine", {"stateMachineArn": "{machine}", "includedData": "METADATA_ONLY"}, machine_of(name, "{}")
    )
    run.call(
        "UpdateStateMachine",
        {"stateMachineArn": "{machine}", "definition": VARIABLES},
        {"updateDate": DATE, "revisionId": UUID},
        save={"revision": "revisionId"},
    )
    run.call(
        "DescribeStateMachine",
        {"stateMachineArn": "{machine}"},
        machine_of(name, VARIABLES, revisionId="{revision}", variableReferences={"B": ["x"]}),
    )
    run.call("TagResource", {"resourceArn": "{machine}", "tags": [{"key": "l", "value": "w"}]}, NOTHING)
    tags = [{"key": "k", "value": "v"}, {"key": "l", "value": "w"}]
    run.call("ListTagsForResource", {"resourceArn": "{machine}"}, {"tags": tags})
    run.call("UntagResource", {"resourceArn": "{machine}", "tagKeys": ["k"]}, NOTHING)
    run.call("ListTagsForResource", {"resourceArn": "{machine}"}, {"tags": tags[1:]})
    run.call("ListStateMachines", {"maxResults": 1})
    listed = [item for page in run.pages("ListStateMachines", {}, 3) for item in page["stateMachines"]]
    item = {"stateMachineArn": "{machine}", "name": name, "type": "STANDARD", "creationDate": DATE}
    assert run.fill(item) in listed
    run.call("DeleteStateMachine", {"stateMachineArn": "{machine}"}, NOTHING)
    run.refused("DescribeStateMachine", {"stateMachineArn": "{machine}"}, "StateMachineDoesNotExist")


def versions_and_aliases(run):
    name = f"versioned-{run.names['id']}"
    run.call(
        "CreateStateMachine",
        {"name": name, "definition": PASS, "roleArn": ROLE, "publish": True, "versionDescription": "first"},
        {"stateMachineArn": ANY, "creationDate": DATE, "stateMachineVersionArn": Any(".*:1")},
        save={"machine": "stateMachineArn", "one": "stateMachineVersionArn"},
    )
    run.call(
        "DescribeStateMachine",
        {"stateMachineArn": "{one}"},
        machine_of(name, description="first") | {"stateMachineArn": "{one}"},
    )
    run.call(
        "UpdateStateMachine",
        {"stateMachineArn": "{machine}", "definition": PASS_2},
        {"updateDate": DATE, "revisionId": UUID},
        save={"revision": "revisionId"},
    )
    run.call(
        "PublishStateMachineVersion",
        {"stateMachineArn": "{machine}", "revisionId": "{revision}", "description": "second"},
        {"creationDate": DATE, "stateMachineVersionArn": Any(".*:2")},
        save={"two": "stateMachineVersionArn"},
    )
    run.call(
        "ListStateMachineVersions",
        {"stateMachineArn": "{machine}"},
        {"stateMachineVersions": [{"stateMachineVersionArn": arn, "creationDate": DATE} for arn in ("{two}", "{one}")]},
    )
    routing = [{"stateMachineVersionArn": "{one}", "weight": 50}, {"stateMachineVersionArn": "{two}", "weight": 50}]
    run.call(
        "CreateStateMachineAlias",
        {"name": "live", "description": "d", "routingConfiguration": routing},
        {"stateMachineAliasArn": "{machine}:live", "creationDate": DATE},
        save={"alias": "stateMachineAliasArn"},
    )
    alias = {"stateMachineAliasArn": "{alias}", "name": "live", "creationDate": DATE, "updateDate": DATE}
    run.call(
        "DescribeStateMachineAlias",
        {"stateMachineAliasArn": "{alias}"},
        {**alias, "description": "d", "routingConfiguration": routing},
    )
    only = [{"stateMachineVersionArn": "{two}", "weight": 100}]
    run.call("UpdateStateMachineAlias", {"stateMachineAliasArn": "{alias}", "routingConfiguration": only}, {"updateDate": DATE})
    run.call(
        "DescribeStateMachineAlias",
        {"stateMachineAliasArn": "{alias}"},
        {**alias, "description": "d", "routingConfiguration": only},
    )
    run.call(
        "ListStateMachineAliases",
        {"stateMachineArn": "{two}"},
        {"stateMachineAliases": [{"stateMachineAliasArn": "{alias}", "creationDate": DATE}]},
    )
    run.refused("DeleteStateMachineVersion", {"stateMachineVersionArn": "{two}"}, "ConflictException")
    run.call("StartExecution", {"stateMachineArn": "{alias}"}, save={"execution": "executionArn"})
    listed = run.call("ListExecutions", {"stateMachineArn": "{alias}"})
    assert [item["executionArn"] for item in listed["executions"]] == [run.names["execution"]]
    assert listed["executions"][0]["stateMachineVersionArn"] == run.names["two"]
    run.call("ListExecutions", {"stateMachineArn": "{one}"}, {"executions": []})
    run.call("DeleteStateMachineAlias", {"stateMachineAliasArn": "{alias}"}, NOTHING)
    run.call("DeleteStateMachineVersion", {"stateMachineVersionArn": "{two}"}, NOTHING)
    run.refused("DescribeStateMachineAlias", {"stateMachineAliasArn": "{alias}"}, "ResourceNotFound")
    run.call("DeleteStateMachine", {"stateMachineArn": "{machine}"}, NOTHING)


def executions(run):
    machine = {"name": f"ended-{run.names['id']}", "definition": PASS, "roleArn": ROLE}
    run.call("CreateStateMachine", machine, save={"machine": "stateMachineArn"})
    run.call(
        "StartExecution",
        {"stateMachineArn": "{machine}", "name": "one", "input": '{"n": 1}'},
        {"executionArn": Any(r".*:execution:ended-\w+:one"), "startDate": DATE},
        save={"execution": "executionArn"},
    )
    ended = {
        "executionArn": "{execution}", "stateMachineArn": "{machine}", "name": "one", "status": "SUCCEEDED",
        "startDate": DATE, "stopDate": DATE, "redriveCount": 0,
    }
    reasons = {
        "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }
    run.call(
        "DescribeExecution",
        {"executionArn": "{execution}"},
        {**ended, **reasons, "input": '{"n": 1}', "inputDetails": DATA, "output": '{"n": 1}', "outputDetails": DATA},
        until=("status", "SUCCEEDED"),
    )
    run.call(
        "DescribeExecution",
        {"executionArn": "{execution}", "includedData": "METADATA_ONLY"},
        {**ended, **reasons, "inputDetails": NO_DATA, "outputDetails": NO_DATA},
    )
    run.call("ListExecutions", {"stateMachineArn": "{machine}", "statusFilter": "SUCCEEDED"}, {"executions": [ended]})
    run.call(
        "DescribeStateMachineForExecution",
        {"executionArn": "{execution}"},
        {
            "stateMachineArn": "{machine}", "name": machine["name"], "definition": PASS, "roleArn": ROLE, "updateDate": DATE,
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": {"enabled": False}, "encryptionConfiguration": OWNED,
        },
    )
    history = run.call("GetExecutionHistory", {"executionArn": "{execution}", "reverseOrder": True, "maxResults": 2})
    assert [event["id"] for event in history["events"]] == [4, 3]
    bare = run.call("GetExecutionHistory", {"executionArn": "{execution}", "includeExecutionData": False})
    assert bare["events"][0]["executionStartedEventDetails"] == {"roleArn": ROLE, "inputDetails": NO_DATA} or (
        "input" not in bare["events"][0]["executionStartedEventDetails"]
    )
    for number in range(4):
        run.call("StartExecution", {"stateMachineArn": "{machine}", "name": f"more-{number}"})
    pages = run.pages("ListExecutions", {"stateMachineArn": "{machine}"}, 2)
    assert sum(len(page["executions"]) for page in pages) == 5 and len(pages) in (1, 3)
    pages = run.pages("GetExecutionHistory", {"executionArn": "{execution}"}, 1)
    assert [event["type"] for page in pages for event in page["events"]] == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
    ]
    machine = {"name": f"waiting-{run.names['id']}", "definition": WAIT, "roleArn": ROLE}
    run.call("CreateStateMachine", machine, save={"machine": "stateMachineArn"})
    run.call("StartExecution", {"stateMachineArn": "{machine}"}, save={"execution": "executionArn"})
    stop = {"executionArn": "{execution}", "error": "E", "cause": "C"}
    stopped = run.call("StopExecution", stop, {"stopDate": DATE})
    described = run.call("DescribeExecution", {"executionArn": "{execution}"}, until=("status", "ABORTED"))
    assert (described["error"], described["cause"], described["redriveStatus"]) == ("E", "C", "REDRIVABLE")
    assert run.call("StopExecution", stop) == stopped


def redrive(run):
    machine = {"name": f"failing-{run.names['id']}", "definition": FAIL, "roleArn": ROLE}
    run.call("CreateStateMachine", machine, save={"machine": "stateMachineArn"})
    run.call("StartExecution", {"stateMachineArn": "{machine}"}, save={"execution": "executionArn"})
    run.call("DescribeExecution", {"executionArn": "{execution}"}, until=("status", "FAILED"))
    request = {"executionArn": "{execution}", "clientToken": "token-1"}
    first = run.call("RedriveExecution", request, {"redriveDate": DATE})
    assert run.call("RedriveExecution", request) == first
    described = run.call("DescribeExecution", {"executionArn": "{execution}"}, until=("status", "FAILED"))
    assert described["redriveCount"] == 1 and described["redriveDate"] == DATE


def activities_and_tasks(run):
    name = f"activity-{run.names['id']}"
    run.call(
        "CreateActivity", {"name": name}, {"activityArn": Any(rf".*:activity:{name}"), "creationDate": DATE},
        save={"activity": "activityArn"},
    )
    activity = {"activityArn": "{activity}", "name": name, "creationDate": DATE}
    run.call("DescribeActivity", {"activityArn": "{activity}"}, {**activity, "encryptionConfiguration": OWNED})
    listed = [item for page in run.pages("ListActivities", {}, 2) for item in page["activities"]]
    assert run.fill(activity) in listed
    run.call("ListActivities", {"maxResults": 1})
    machine = {"name": f"work-{run.names['id']}", "definition": work("{activity}"), "roleArn": ROLE}
    machine["definition"] = work(run.names["activity"])
    run.call("CreateStateMachine", machine, save={"machine": "stateMachineArn"})
    run.call("StartExecution", {"stateMachineArn": "{machine}", "input": "[1]"}, save={"execution": "executionArn"})
    task = {"activityArn": "{activity}", "workerName": "w"}
    run.call("GetActivityTask", task, {"taskToken": TOKEN, "input": "[1]"}, save={"token": "taskToken"})
    run.call("SendTaskHeartbeat", {"taskToken": "{token}"}, NOTHING)
    run.call("SendTaskSuccess", {"taskToken": "{token}", "output": "[2]"}, NOTHING)
    described = run.call("DescribeExecution", {"executionArn": "{execution}"}, until=("status", "SUCCEEDED"))
    assert described["output"] == "[2]"
    run.refused("SendTaskSuccess", {"taskToken": "{token}", "output": "[3]"}, "TaskTimedOut")
    run.refused("SendTaskHeartbeat", {"taskToken": "nonsense"}, "InvalidToken")
    run.call("StartExecution", {"stateMachineArn": "{machine}"}, save={"execution": "executionArn"})
    run.call("GetActivityTask", task, save={"token": "taskToken"})
    run.call("SendTaskFailure", {"taskToken": "{token}", "error": "E", "cause": "C"}, NOTHING)
    described = run.call("DescribeExecution", {"executionArn": "{execution}"}, until=("status", "FAILED"))
    assert (described["error"], described["cause"]) == ("E", "C")
    run.call("DeleteActivity", {"activityArn": "{activity}"}, NOTHING)
    run.refused("DescribeActivity", {"activityArn": "{activity}"}, "ActivityDoesNotExist")


def express_and_test_state(run):
    machine = {"name": f"express-{run.names['id']}", "definition": PASS, "roleArn": ROLE, "type": "EXPRESS"}
    run.call("CreateStateMachine", machine, save={"machine": "stateMachineArn"})
    request = {"stateMachineArn": "{machine}", "name": "one", "input": "[1]"}
    answer = {
        "executionArn": Any(r".*:express:.*:one:.*"), "stateMachineArn": "{machine}", "name": "one", "startDate": DATE,
        "stopDate": DATE, "status": "SUCCEEDED", "inputDetails": DATA, "outputDetails": DATA,
        "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": Any("[1-9]00")},
    }
    run.call("StartSyncExecution", request, {**answer, "input": "[1]", "output": "[1]"})
    run.call(
        "StartSyncExecution",
        {**request, "includedData": "METADATA_ONLY"},
        {**answer, "inputDetails": NO_DATA, "outputDetails": NO_DATA},
    )
    run.refused("ListExecutions", {"stateMachineArn": "{machine}"}, "StateMachineTypeNotSupported")
    state = json.dumps({"Type": "Pass", "Result": {"a": 1}, "Next": "B"})
    run.call(
        "TestState",
        {"definition": state, "roleArn": ROLE, "input": "{}"},
        {"output": Any(r'\{"a": ?1\}'), "nextState": "B", "status": "SUCCEEDED"},
    )


def map_runs(run):
    machine = {"name": f"map-{run.names['id']}", "definition": MAP, "roleArn": ROLE}
    run.call("CreateStateMachine", machine, save={"machine": "stateMachineArn"})
    request = {"stateMachineArn": "{machine}", "input": "[1, 2, 3]"}
    run.call("StartExecution", request, save={"execution": "executionArn"})
    deadline = time.monotonic() + WAIT_LIMIT_S
    while not (listed := run.call("ListMapRuns", {"executionArn": "{execution}"})["mapRuns"]):
        assert time.monotonic() < deadline
    [item] = listed
    run.names["map_run"] = item["mapRunArn"]
    expected = {
        "executionArn": "{execution}", "mapRunArn": Any(r".*:mapRun:map-\w+/Items:.*"), "startDate": DATE,
        "stateMachineArn": "{machine}/Items",
    }
    assert item == run.fill(expected)
    run.call("UpdateMapRun", {"mapRunArn": "{map_run}", "maxConcurrency": 7, "toleratedFailureCount": 2}, NOTHING)
    while len(listed := run.call("ListExecutions", {"mapRunArn": "{map_run}"})["executions"]) < 3:
        assert time.monotonic() < deadline
    assert {child["mapRunArn"] for child in listed} == {run.names["map_run"]}
    described = run.call("DescribeMapRun", {"mapRunArn": "{map_run}"})
    members = ("status", "maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage", "executionArn")
    assert [described[member] for member in members] == ["RUNNING", 7, 2, 0, run.names["execution"]]
    assert described["itemCounts"]["total"] == 3 and described["executionCounts"]["total"] == 3
    run.pages("ListMapRuns", {"executionArn": "{execution}"}, 1)
    run.call("StopExecution", {"executionArn": "{execution}"})
    run.call("DescribeMapRun", {"mapRunArn": "{map_run}"}, until=("status", "ABORTED"))
    run.refused("UpdateMapRun", {"mapRunArn": "{map_run}", "maxConcurrency": 1}, "ValidationException")


GROUPS = [machines, versions_and_aliases, executions, redrive, activities_and_tasks, express_and_test_state, map_runs]


@pytest.fixture(scope="module", params=CLIENTS)
def client(request, shared_server):
    client = CLIENTS[request.param](shared_server)
    yield client
    client.close()


@pytest.fixture(scope="module")
def called(client):
    """The operations that were called through the client."""
    return set()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_operations(client, called, group):
    run = Run(client)
    try:
        group(run)
    except Refused as refused:
        if refused.code == "UnsupportedOperationException":
            pytest.skip(str(refused))
        raise
    finally:
        called |= run.called


def test_no_operation_is_left_out(client, called):
    if len(called) < 20:
        pytest.skip("only a part of the table was run")
    model = botocore.session.get_session().get_service_model("stepfunctions")
    assert set(model.operation_names) - called == set()


def test_the_model_has_no_waiters(sfn):
    assert sfn.waiter_names == []
    paginators = ["get_execution_history", "list_activities", "list_executions", "list_map_runs", "list_state_machines"]
    assert all(sfn.can_paginate(name) for name in paginators)
