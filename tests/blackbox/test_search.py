"""The search over all executions, as those see it who ask with plain HTTP."""

import json
import urllib.error
import urllib.parse
import urllib.request

from conftest import ROLE, Workflows

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Out.Of/Stock"}}}


def search(server, **parameters):
    query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
    try:
        with urllib.request.urlopen(f"{server.url}/executions?{query}", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)["error"]


def names(server, **parameters):
    found, token = [], None
    while True:
        page = search(server, **parameters, **({"nextToken": token} if token else {}))
        found += [execution["name"] for execution in page["executions"]]
        token = page.get("nextToken")
        if not token:
            return found


def test_search(new_server):
    server = new_server()
    client = server.client()
    workflows = Workflows(client)
    one, other = workflows.create("one", PASS), workflows.create("other", FAIL)
    client.tag_resource(resourceArn=other, tags=[{"key": "team", "value": "a b"}])
    for number in range(5):
        workflows.wait(client.start_execution(stateMachineArn=one, name=f"order-{number}")["executionArn"])
    for number in range(2):
        workflows.wait(client.start_execution(stateMachineArn=other, name=f"bill-{number}")["executionArn"])
    nested = {"StartAt": "N", "States": {"N": {
        "Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": True,
        "Parameters": {"StateMachineArn": one, "Name": "child", "Input": {}}}}}
    parent = client.start_execution(stateMachineArn=workflows.create("parent", nested), name="parent")["executionArn"]
    workflows.wait(parent)
    orders = [f"order-{number}" for number in (4, 3, 2, 1, 0)]
    assert names(server) == ["child", "parent", "bill-1", "bill-0", *orders]
    assert names(server, maxResults=2, namePrefix="order-") == orders
    assert names(server, stateMachine="other") == names(server, stateMachine=other) == ["bill-1", "bill-0"]
    assert names(server, status="FAILED") == names(server, error="Out.Of/Stock") == ["bill-1", "bill-0"]
    assert names(server, error="Out.Of/Stock", namePrefix="bill-0") == ["bill-0"]
    assert names(server, tag="team=a b") == names(server, tag="team") == ["bill-1", "bill-0"]
    assert names(server, tag="team=x") == []
    assert names(server, parent=parent) == ["child"]
    first = search(server, namePrefix="order-0")["executions"][0]
    start_ms = round(first["startDate"] * 1000)
    assert "order-0" in names(server, until=start_ms + 1) and "order-0" not in names(server, until=start_ms)
    assert len(names(server, **{"from": start_ms})) == 9
    assert first["status"] == "SUCCEEDED" and first["executionArn"].endswith(":execution:one:order-0")
    counts = search(server, counts="true")["counts"]
    assert counts == {"SUCCEEDED": 7, "FAILED": 2}
    assert search(server, counts="true", stateMachine="other")["counts"] == {"FAILED": 2}
    for wrong in ({"status": "GONE"}, {"maxResults": 0}, {"from": "soon"}, {"nextToken": "x"}, {"colour": "red"}):
        status, message = search(server, **wrong)
        assert status == 400 and message, wrong
    # Deleting the machine takes its executions out of the search.
    client.delete_state_machine(stateMachineArn=other)
    assert names(server, namePrefix="bill") == []
    assert client.create_state_machine(name="other", definition=json.dumps(PASS), roleArn=ROLE)
