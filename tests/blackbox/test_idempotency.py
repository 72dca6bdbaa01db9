"""A request that is repeated after a lost answer gets the first answer."""

import concurrent.futures
import json

import pytest
from conftest import Workflows, event_types

FOREVER = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
TIMES = 8


def at_once(call):
    """What the same call answers to many callers at the same time."""
    with concurrent.futures.ThreadPoolExecutor(TIMES) as pool:
        return [call_made.result() for call_made in [pool.submit(call) for _ in range(TIMES)]]


def shown(answers):
    return {json.dumps(answer, default=str, sort_keys=True) for answer in answers}


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_starts(new_server):
    server = new_server()
    client = server.client()
    machine = Workflows(client).create("m", FOREVER)

    def start(input="{}"):
        return without_metadata(client.start_execution(stateMachineArn=machine, name="e", input=input))

    answers = at_once(start)
    assert len(shown(answers)) == 1
    server.kill()
    server.start()
    client = server.client()
    assert start() == answers[0]
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        start('{"other":true}')
    client.stop_execution(executionArn=answers[0]["executionArn"])
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        start()


def test_stops(new_server):
    server = new_server()
    client = server.client()
    workflows = Workflows(client)
    execution = workflows.start(workflows.create("m", FOREVER))

    def stop():
        return without_metadata(client.stop_execution(executionArn=execution, error="E"))

    answers = at_once(stop)
    assert len(shown(answers)) == 1
    assert event_types(workflows.history(execution)).count("ExecutionAborted") == 1
    server.kill()
    server.start()
    client = server.client()
    assert stop() == answers[0]
    assert client.describe_execution(executionArn=execution)["stopDate"] == answers[0]["stopDate"]


def test_redrives(new_server):
    server = new_server()
    client = server.client()
    workflows = Workflows(client)
    execution = workflows.start(workflows.create("m", FOREVER))
    client.stop_execution(executionArn=execution)

    def redrive():
        return without_metadata(client.redrive_execution(executionArn=execution, clientToken="token"))

    answers = at_once(redrive)
    assert len(shown(answers)) == 1
    assert event_types(workflows.history(execution)).count("ExecutionRedriven") == 1
    server.kill()
    server.start()
    client = server.client()
    assert redrive() == answers[0]
    assert event_types(Workflows(client).history(execution)).count("ExecutionRedriven") == 1
