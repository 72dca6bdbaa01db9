"""Versions and aliases of state machines whose executions really run."""

import json
import uuid

from conftest import ROLE


def definition(output):
    return json.dumps(
        {
            "StartAt": "Work",
            "States": {
                "Work": {"Type": "Wait", "Seconds": 1, "Next": "End"},
                "End": {"Type": "Pass", "Result": output, "End": True},
            },
        }
    )


def at_once(output):
    return json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": output, "End": True}}})


def published(sfn, text):
    created = sfn.create_state_machine(
        name=f"versions-{uuid.uuid4().hex[:8]}", definition=text, roleArn=ROLE, publish=True
    )
    return created["stateMachineArn"], created["stateMachineVersionArn"]


def test_executions_stay_on_their_version(workflows):
    sfn = workflows.client
    machine, one = published(sfn, definition("one"))
    old = workflows.start(one)
    sfn.update_state_machine(stateMachineArn=machine, definition=definition("two"), publish=True)
    sfn.delete_state_machine_version(stateMachineVersionArn=one)
    new = workflows.start(machine)
    assert json.loads(workflows.wait(old)["output"]) == "one"
    assert json.loads(workflows.wait(new)["output"]) == "two"
    # The version is gone, what ran under it is known.
    assert sfn.describe_execution(executionArn=old)["stateMachineVersionArn"] == one
    assert sfn.describe_state_machine_for_execution(executionArn=old)["definition"] == definition("one")
    assert "stateMachineVersionArn" not in sfn.describe_execution(executionArn=new)


def test_an_alias_divides_starts_by_weight(workflows):
    sfn = workflows.client
    machine, one = published(sfn, at_once("one"))
    two = sfn.update_state_machine(stateMachineArn=machine, definition=at_once("two"), publish=True)["stateMachineVersionArn"]

    def routing(weight):
        return [{"stateMachineVersionArn": one, "weight": weight}, {"stateMachineVersionArn": two, "weight": 100 - weight}]

    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=routing(50))["stateMachineAliasArn"]
    outputs = [json.loads(workflows.wait(workflows.start(alias))["output"]) for _ in range(60)]
    assert set(outputs) == {"one", "two"}
    listed = sfn.list_executions(stateMachineArn=alias)["executions"]
    assert len(listed) == 60 and {item["stateMachineAliasArn"] for item in listed} == {alias}
    by_version = [len(sfn.list_executions(stateMachineArn=version)["executions"]) for version in (one, two)]
    assert by_version == [outputs.count("one"), outputs.count("two")]
    for weight, expected in ((0, "two"), (100, "one")):
        sfn.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routing(weight))
        assert {json.loads(workflows.wait(workflows.start(alias))["output"]) for _ in range(10)} == {expected}


def test_pages_hold_while_executions_are_started(workflows, shared_server):
    sfn = workflows.client
    machine, _ = published(sfn, at_once(1))
    first = [workflows.start(machine) for _ in range(9)]
    page = sfn.list_executions(stateMachineArn=machine, maxResults=4)
    workflows.start(machine)
    seen = [item["executionArn"] for item in page["executions"]]
    while token := page.get("nextToken"):
        page = sfn.list_executions(stateMachineArn=machine, maxResults=4, nextToken=token)
        seen += [item["executionArn"] for item in page["executions"]]
    assert seen == first[::-1]


def test_page_tokens_survive_a_restart(new_server):
    server = new_server()
    sfn = server.client()
    for name in "abc":
        sfn.create_activity(name=name)
    token = sfn.list_activities(maxResults=2)["nextToken"]
    server.kill()
    server.start()
    assert [item["name"] for item in sfn.list_activities(nextToken=token)["activities"]] == ["c"]
