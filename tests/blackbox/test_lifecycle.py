"""State machines and executions, from creation to deletion, with boto3 and the AWS CLI."""

import json
import uuid

import pytest
from conftest import ROLE, assert_well_formed, aws_cli, event_types, pass_machine


def test_aws_cli_deploys_and_runs(shared_server, tmp_path):
    definition = tmp_path / "hello.asl.json"
    definition.write_text(
        json.dumps(
            {
                "StartAt": "Greet",
                "States": {
                    "Greet": {
                        "Type": "Pass",
                        "Parameters": {"greeting.$": "States.Format('Hello, {}!', $.name)"},
                        "End": True,
                    }
                },
            }
        )
    )
    created = json.loads(
        aws_cli(
            shared_server, "stepfunctions", "create-state-machine", "--name", "cli-hello",
            "--definition", f"file://{definition}", "--role-arn", ROLE,
        ).stdout
    )
    machine = created["stateMachineArn"]
    started = json.loads(
        aws_cli(
            shared_server, "stepfunctions", "start-execution", "--state-machine-arn", machine,
            "--name", "first", "--input", '{"name": "Ada"}',
        ).stdout
    )
    assert started["executionArn"] == machine.replace(":stateMachine:", ":execution:") + ":first"
    described = json.loads(
        aws_cli(shared_server, "stepfunctions", "describe-execution", "--execution-arn", started["executionArn"]).stdout
    )
    assert described["status"] == "SUCCEEDED"
    assert json.loads(described["output"]) == {"greeting": "Hello, Ada!"}
    refused = aws_cli(
        shared_server, "stepfunctions", "create-state-machine", "--name", "cli-bad",
        "--definition", '{"StartAt": "X", "States": {}}', "--role-arn", ROLE, check=False,
    )
    assert refused.returncode != 0 and "InvalidDefinition" in refused.stderr


def test_history_of_passes(workflows):
    machine = workflows.create(f"passes-{uuid.uuid4().hex[:8]}", pass_machine(3))
    description, history = workflows.run(machine, {"n": 1})
    assert description["status"] == "SUCCEEDED" and json.loads(description["output"]) == {"n": 1}
    assert_well_formed(history)
    assert event_types(history) == [
        "ExecutionStarted",
        *["PassStateEntered", "PassStateExited"] * 3,
        "ExecutionSucceeded",
    ]
    backwards = workflows.client.get_execution_history(executionArn=description["executionArn"], reverseOrder=True, maxResults=3)
    assert [event["id"] for event in backwards["events"]] == [8, 7, 6]
    assert backwards["nextToken"]


def test_start_is_idempotent_while_it_runs(workflows):
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    machine = workflows.create(f"idempotent-{uuid.uuid4().hex[:8]}", definition)
    first = workflows.client.start_execution(stateMachineArn=machine, name="one", input='{"a":1}')
    again = workflows.client.start_execution(stateMachineArn=machine, name="one", input='{"a":1}')
    assert (first["executionArn"], first["startDate"]) == (again["executionArn"], again["startDate"])
    with pytest.raises(workflows.client.exceptions.ExecutionAlreadyExists):
        workflows.client.start_execution(stateMachineArn=machine, name="one", input='{"a":2}')
    workflows.client.stop_execution(executionArn=first["executionArn"], error="Enough", cause="of it")
    description = workflows.wait(first["executionArn"])
    assert (description["status"], description["error"], description["cause"]) == ("ABORTED", "Enough", "of it")
    with pytest.raises(workflows.client.exceptions.ExecutionAlreadyExists):
        workflows.client.start_execution(stateMachineArn=machine, name="one", input='{"a":1}')


def test_listing_pages_and_filters(workflows):
    name = f"listed-{uuid.uuid4().hex[:8]}"
    machine = workflows.create(name, pass_machine())
    names = [f"run-{n:02}" for n in range(25)]
    for execution in names:
        workflows.start(machine, name=execution)
    paginator = workflows.client.get_paginator("list_executions")
    pages = list(paginator.paginate(stateMachineArn=machine, PaginationConfig={"PageSize": 10}))
    assert [len(page["executions"]) for page in pages] == [10, 10, 5]
    listed = [execution["name"] for page in pages for execution in page["executions"]]
    assert listed == names[::-1]
    assert not workflows.client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
    machines = workflows.client.get_paginator("list_state_machines").paginate()
    assert name in [machine["name"] for page in machines for machine in page["stateMachines"]]


def test_update_keeps_running_executions_on_their_revision(workflows):
    name = f"updated-{uuid.uuid4().hex[:8]}"
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "Result": "old", "End": True}}}
    machine = workflows.create(name, waiting)
    execution = workflows.start(machine)
    workflows.client.update_state_machine(
        stateMachineArn=machine,
        definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "new", "End": True}}}),
    )
    assert json.loads(workflows.run(machine)[0]["output"]) == "new"
    assert json.loads(workflows.wait(execution)["output"]) == "old"
    workflows.client.delete_state_machine(stateMachineArn=machine)


def test_tags(workflows):
    machine = workflows.create(f"tagged-{uuid.uuid4().hex[:8]}", pass_machine())
    workflows.client.tag_resource(resourceArn=machine, tags=[{"key": "team", "value": "a"}, {"key": "stage", "value": "b"}])
    workflows.client.untag_resource(resourceArn=machine, tagKeys=["stage"])
    assert workflows.client.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "team", "value": "a"}]
