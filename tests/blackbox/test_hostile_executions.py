"""Executions whose states take as long as they can, again and again: nobody else waits for them, they end when they are stopped or their
time is over, the server ends when it is asked to, and after a kill it answers before it goes on with them.

A server that computes where it answers would not answer here within the client's patience, because none of these ends by itself."""

import contextlib
import json
import threading
import urllib.request

import pytest
from conftest import Workflows, pass_machine

SLOW = "($f := function($n) { $n = 0 ? 0 : $f($n - 1) }; $f(300000))"
STEP = {"Type": "Pass", "End": True}


def looping(state, **machine):
    """The state again and again, after a moment: the start is answered before."""
    return {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Work"},
            "Work": {**state, "Next": "Again"},
            "Again": {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": [{"Condition": "{% false %}", "Next": "Done"}], "Default": "Work"},
            "Done": {"Type": "Succeed"},
        },
        **machine,
    }


def jsonata(state, **machine):
    return looping(state, QueryLanguage="JSONata", **machine)


FLOW = {"StartAt": "Item", "States": {"Item": STEP}}


def slow_flow(name="Item"):
    return {"StartAt": name, "States": {name: {**STEP, "Output": "{% " + SLOW + " %}"}}}


HOSTILE = {
    "functions": jsonata({"Type": "Pass", "Assign": {"x": "{% " + SLOW + " %}"}}),
    "arrays": jsonata({"Type": "Pass", "Assign": {"x": "{% $count($map([1..60], function($n) { $sum([1..100000]) })) %}"}}),
    "regexes": jsonata({"Type": "Pass", "Assign": {"x": "{% $match($join([1..9000].'a'), /(a+)+b/) %}"}}),
    "conditions": jsonata({"Type": "Pass", "Assign": {"x": ["{% $sum([1..20000]) %}"] * 300}}),
    "passing": looping({"Type": "Pass"}),
    "paths": looping({"Type": "Pass", "Parameters": {f"x{n}.$": "$..[?(@.n > 5)].n" for n in range(100)}, "ResultPath": None}),
    "map": jsonata({"Type": "Map", "Items": "{% [1..10000] %}", "Output": 1, "ItemProcessor": slow_flow()}),
    "selected": jsonata({"Type": "Map", "Items": "{% [1..10000] %}", "ItemSelector": {"x": "{% " + SLOW + " %}"}, "Output": 1, "ItemProcessor": FLOW}),
    "parallel": jsonata({"Type": "Parallel", "Branches": [slow_flow(f"Item{n}") for n in range(20)], "Output": 1}),
    "caught": jsonata(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Fail"}}}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Again", "Output": "{% " + SLOW + " %}"}],
        }
    ),
    "children": jsonata(
        {
            "Type": "Map",
            "Items": "{% [1..100] %}",
            "ItemSelector": "{% " + SLOW + " %}",
            "Output": 1,
            "ItemProcessor": {**slow_flow(), "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
        }
    ),
}
INPUT = {"a": [{"n": n % 7} for n in range(2000)]}


def workflows_of(server):
    return Workflows(server.client())


def newest_event(workflows, execution):
    history = workflows.client.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=1)
    return history["events"][0]["type"]


def answers(server, workflows, quick):
    """Everything that must not wait does not."""
    assert urllib.request.urlopen(f"{server.url}/healthz", timeout=10).status == 200
    assert workflows.wait(workflows.start(quick))["status"] == "SUCCEEDED"


def test_nobody_waits_for_them(new_server):
    server = new_server()
    workflows = workflows_of(server)
    quick = workflows.create("quick", pass_machine())
    executions = {}
    for name, definition in HOSTILE.items():
        machine = workflows.create(name, definition)
        executions[name] = [workflows.start(machine, INPUT) for _ in range(2)]
    answers(server, workflows, quick)
    # All of them work once the time of their first state is over; how far each has come is not the question.
    while newest_event(workflows, executions["passing"][0]) == "WaitStateEntered":
        answers(server, workflows, quick)
    for _ in range(20):
        answers(server, workflows, quick)
    server.kill()
    server.start()
    workflows = workflows_of(server)
    answers(server, workflows, quick)
    for name, started in executions.items():
        for execution in started:
            with contextlib.suppress(workflows.client.exceptions.ExecutionDoesNotExist):
                workflows.client.stop_execution(executionArn=execution)
            assert workflows.wait(execution)["status"] in ("ABORTED", "FAILED"), name
    answers(server, workflows, quick)
    assert server.stop() == 0


def test_their_time_ends(new_server):
    server = new_server()
    workflows = workflows_of(server)
    for type in ("STANDARD", "EXPRESS"):
        endless = {"Type": "Pass", "Assign": {"x": ["{% " + SLOW + " %}"] * 1000}}
        machine = workflows.create(f"late-{type}", jsonata(endless, TimeoutSeconds=2), type)
        if type == "STANDARD":
            assert workflows.wait(workflows.start(machine))["status"] == "TIMED_OUT"
        else:
            client = server.client()
            answer = client.start_sync_execution(stateMachineArn=machine, input="{}")
            assert answer["status"] == "TIMED_OUT"
    assert server.stop() == 0


def test_a_start_that_computes_at_once_is_answered_at_once(new_server):
    server = new_server()
    workflows = workflows_of(server)
    state = {"Type": "Pass", "Assign": {"x": ["{% " + SLOW + " %}"] * 1000}, "End": True}
    for type in ("STANDARD", "EXPRESS"):
        machine = workflows.create(f"at-once-{type}", {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}, type)
        started = [workflows.start(machine) for _ in range(10)]
        if type == "STANDARD":
            for execution in started:
                workflows.client.stop_execution(executionArn=execution)
                assert workflows.wait(execution)["status"] == "ABORTED"
    assert server.stop() == 0


def test_a_test_of_a_state_keeps_nobody_waiting(new_server):
    server = new_server()
    workflows = workflows_of(server)
    quick = workflows.create("quick", pass_machine())
    definition = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": ["{% " + SLOW + " %}"] * 1000, "End": True}
    gone = threading.Event()

    def test_state():
        with pytest.raises(Exception):
            server.client(connect_timeout=5).test_state(definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/workflows")
        gone.set()

    threads = [threading.Thread(target=test_state) for _ in range(4)]
    [thread.start() for thread in threads]
    for _ in range(20):
        answers(server, workflows, quick)
    # Those who ask are still waiting, and the server ends all the same.
    assert not gone.is_set()
    assert server.stop() == 0
    [thread.join() for thread in threads]
