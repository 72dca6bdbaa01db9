"""The calls that Terraform's AWS provider makes for `aws_sfn_state_machine`, `aws_sfn_activity` and `aws_sfn_alias`, in the
order in which it makes them: plan, create, read, update, delete and wait until it is gone."""

import json
import time
import uuid

import pytest
from conftest import ROLE

LIMIT_S = 30


def definition(comment):
    return json.dumps({"Comment": comment, "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


def tags_of(client, arn):
    return {tag["key"]: tag["value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def plan_state_machine(client, text, type="STANDARD"):
    """While planning, a changed definition is validated."""
    found = client.validate_state_machine_definition(definition=text, type=type)
    return [f"{item['severity']} {item['code']}" for item in found["diagnostics"] if item["severity"] == "ERROR"]


def read_state_machine(client, arn):
    described = client.describe_state_machine(stateMachineArn=arn)
    versions = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    return {
        "definition": described["definition"],
        "role_arn": described["roleArn"],
        "type": described["type"],
        "status": described["status"],
        "name": described["name"],
        "description": described.get("description"),
        "revision_id": described.get("revisionId"),
        "tracing": described["tracingConfiguration"]["enabled"],
        "logging": described["loggingConfiguration"]["level"],
        "encryption": described["encryptionConfiguration"]["type"],
        # Newest first: the provider takes the first one.
        "version_arn": versions[0]["stateMachineVersionArn"] if versions else None,
        "tags": tags_of(client, arn),
    }


def update_tags(client, arn, old, new):
    removed = [key for key in old if key not in new]
    if removed:
        client.untag_resource(resourceArn=arn, tagKeys=removed)
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    if changed:
        client.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value} for key, value in changed.items()])


def delete_state_machine(client, arn):
    client.delete_state_machine(stateMachineArn=arn)
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            assert client.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
        except client.exceptions.StateMachineDoesNotExist:
            return
        assert time.monotonic() < deadline, "the state machine does not go away"
        time.sleep(0.05)


def read_alias(client, arn):
    found = client.describe_state_machine_alias(stateMachineAliasArn=arn)
    routing = [(item["stateMachineVersionArn"], item["weight"]) for item in found["routingConfiguration"]]
    assert found["stateMachineAliasArn"] == arn
    return found["name"], found.get("description", ""), routing


def routing(*items):
    return [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in items]


def create_state_machine(client, name, text, **more):
    settings = {
        "loggingConfiguration": {"includeExecutionData": False, "level": "OFF"},
        "tracingConfiguration": {"enabled": False},
        "tags": [{"key": "team", "value": "a"}],
        **more,
    }
    return client.create_state_machine(
        name=name, definition=text, roleArn=ROLE, type="STANDARD", publish=True, **settings
    )["stateMachineArn"]


def test_state_machine(sfn):
    name = f"terraform-{uuid.uuid4().hex[:8]}"
    assert plan_state_machine(sfn, definition("one")) == []
    assert plan_state_machine(sfn, '{"StartAt": "A"}') != []
    arn = create_state_machine(sfn, name, definition("one"))
    first = read_state_machine(sfn, arn)
    assert first == {
        "definition": definition("one"), "role_arn": ROLE, "type": "STANDARD", "status": "ACTIVE", "name": name,
        "description": None, "revision_id": None, "tracing": False, "logging": "OFF", "encryption": "AWS_OWNED_KEY",
        "version_arn": f"{arn}:1", "tags": {"team": "a"},
    }
    # A second plan finds nothing to do.
    assert read_state_machine(sfn, arn) == first

    assert plan_state_machine(sfn, definition("two")) == []
    sfn.update_state_machine(
        stateMachineArn=arn, definition=definition("two"), roleArn=ROLE, publish=True,
        tracingConfiguration={"enabled": True},
    )
    # The provider reads until it sees what it has written.
    described = sfn.describe_state_machine(stateMachineArn=arn)
    assert described["definition"] == definition("two") and described["tracingConfiguration"] == {"enabled": True}
    update_tags(sfn, arn, {"team": "a"}, {"stage": "test"})
    second = read_state_machine(sfn, arn)
    assert second["version_arn"] == f"{arn}:2" and second["tags"] == {"stage": "test"} and second["revision_id"]
    assert {**second, "revision_id": None} == {
        **first, "definition": definition("two"), "tracing": True, "version_arn": f"{arn}:2", "tags": {"stage": "test"},
    }
    delete_state_machine(sfn, arn)
    # `terraform apply` after `terraform destroy`: the name is free, and versions count from 1 again.
    assert create_state_machine(sfn, name, definition("three")) == arn
    assert read_state_machine(sfn, arn)["version_arn"] == f"{arn}:1"
    delete_state_machine(sfn, arn)


def test_a_state_machine_with_executions_goes_away(sfn):
    wait = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": True}}})
    arn = create_state_machine(sfn, f"terraform-{uuid.uuid4().hex[:8]}", wait)
    executions = [sfn.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(3)]
    delete_state_machine(sfn, arn)
    for execution in executions:
        with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
            sfn.describe_execution(executionArn=execution)


def test_alias(sfn):
    name = f"terraform-{uuid.uuid4().hex[:8]}"
    machine = create_state_machine(sfn, name, definition("one"))
    one = read_state_machine(sfn, machine)["version_arn"]
    created = sfn.create_state_machine_alias(name="live", description="", routingConfiguration=routing((one, 100)))
    alias = created["stateMachineAliasArn"]
    assert read_alias(sfn, alias) == ("live", "", [(one, 100)])
    sfn.update_state_machine(stateMachineArn=machine, definition=definition("two"), roleArn=ROLE, publish=True)
    two = read_state_machine(sfn, machine)["version_arn"]
    sfn.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routing((one, 10), (two, 90)))
    assert read_alias(sfn, alias) == ("live", "", [(one, 10), (two, 90)])
    sfn.update_state_machine_alias(stateMachineAliasArn=alias, description="shifted", routingConfiguration=routing((two, 100)))
    assert read_alias(sfn, alias) == ("live", "shifted", [(two, 100)])
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        read_alias(sfn, alias)
    delete_state_machine(sfn, machine)


def test_activity(sfn):
    name = f"terraform-{uuid.uuid4().hex[:8]}"
    arn = sfn.create_activity(name=name, tags=[{"key": "team", "value": "a"}])["activityArn"]

    def read():
        described = sfn.describe_activity(activityArn=arn)
        return described["name"], described["encryptionConfiguration"]["type"], tags_of(sfn, arn)

    assert read() == (name, "AWS_OWNED_KEY", {"team": "a"})
    update_tags(sfn, arn, {"team": "a"}, {"team": "b"})
    assert read() == (name, "AWS_OWNED_KEY", {"team": "b"})
    sfn.delete_activity(activityArn=arn)
    with pytest.raises(sfn.exceptions.ActivityDoesNotExist):
        read()
