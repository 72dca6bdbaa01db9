"""What is forgotten: executions after their time, and everything of a state machine that is deleted."""

import json
import time
import urllib.request

import pytest
from botocore.exceptions import ClientError
from conftest import ROLE, Workflows

LIMIT_S = 60
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}}
MAP = {"StartAt": "M", "States": {"M": {"Type": "Map", "End": True, "ItemProcessor": {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}}}}

CONFIG = """
[retention]
keep = "forever"

[[retention.rules]]
state_machine = "brief-*"
keep = "1s"

[[retention.rules]]
tag = "keep=briefly"
keep = "1s"
"""


def until(is_so, what):
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def executions(client, machine):
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine)
    return [item["name"] for page in pages for item in page["executions"]]


def is_gone(client, machine):
    try:
        assert client.describe_state_machine(stateMachineArn=machine)["status"] == "DELETING"
    except client.exceptions.StateMachineDoesNotExist:
        return True
    return False


def metric(server, name):
    text = urllib.request.urlopen(f"{server.url}/metrics", timeout=10).read().decode()
    return [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name)]


def test_executions_are_kept_as_long_as_the_configuration_says(tmp_path, new_server):
    config = tmp_path / "stepwright.toml"
    config.write_text(CONFIG)
    server = new_server(config=config)
    client = server.client()
    workflows = Workflows(client)
    brief, kept = workflows.create("brief-1", MAP), workflows.create("kept", PASS)
    tagged = client.create_state_machine(
        name="tagged", definition=json.dumps(PASS), roleArn=ROLE, tags=[{"key": "keep", "value": "briefly"}]
    )["stateMachineArn"]
    for machine in (brief, kept, tagged):
        for name in ("a", "b"):
            workflows.wait(client.start_execution(stateMachineArn=machine, name=name, input="[1,2,3]")["executionArn"])
    until(lambda: executions(client, brief) == [] and executions(client, tagged) == [], "they are still there")
    assert executions(client, kept) == ["b", "a"]
    # The name is free, and what was forgotten cannot be described.
    again = client.start_execution(stateMachineArn=brief, name="a", input="[]")["executionArn"]
    gone = again[:-1] + "b"
    with pytest.raises(client.exceptions.ExecutionDoesNotExist):
        client.describe_execution(executionArn=gone)
    # Two with three children each, and two without.
    assert sum(metric(server, "stepwright_retention_removed_total")) >= 4
    assert sum(metric(server, "stepwright_store_bytes")) > 0
    # Of the executions that are left, one may still be running.
    until(lambda: metric(server, 'stepwright_executions{status="SUCCEEDED"}')[0] >= 2, "the others are not counted")


def test_a_machine_of_the_same_name_is_another_one(new_server):
    server = new_server()
    client = server.client()
    workflows = Workflows(client)
    machine = workflows.create("again", MAP)
    client.publish_state_machine_version(stateMachineArn=machine)
    client.tag_resource(resourceArn=machine, tags=[{"key": "a", "value": "b"}])
    old = client.start_execution(stateMachineArn=machine, name="e", input="[1]")["executionArn"]
    workflows.wait(old)
    [map_run] = client.list_map_runs(executionArn=old)["mapRuns"]
    client.delete_state_machine(stateMachineArn=machine)
    until(lambda: is_gone(client, machine), "the machine does not go")
    assert workflows.create("again", PASS) == machine
    assert executions(client, machine) == []
    assert client.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"] == []
    assert client.list_tags_for_resource(resourceArn=machine)["tags"] == []
    with pytest.raises(ClientError):
        client.describe_map_run(mapRunArn=map_run["mapRunArn"])
    new = client.start_execution(stateMachineArn=machine, name="e", input='"new"')["executionArn"]
    assert new == old and workflows.wait(new)["input"] == '"new"'


def test_a_deletion_survives_a_kill(new_server):
    server = new_server()
    client = server.client()
    workflows = Workflows(client)
    waiting, other = workflows.create("many", WAIT), workflows.create("other", WAIT)
    for number in range(600):
        client.start_execution(stateMachineArn=waiting, name=f"e{number}")
    kept = client.start_execution(stateMachineArn=other)["executionArn"]
    client.delete_state_machine(stateMachineArn=waiting)
    server.kill()
    server.start()
    client = server.client()
    until(lambda: is_gone(client, waiting), "the machine does not go")
    machine = Workflows(client).create("many", WAIT)
    assert executions(client, machine) == []
    client.start_execution(stateMachineArn=machine, name="e0")
    assert client.describe_execution(executionArn=kept)["status"] == "RUNNING"
