"""Limits that executions share, as the function, the callers and the command line see them."""

import concurrent.futures
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from conftest import BINARY, Workflows, free_port

CONFIG = """
[functions.charge]
runtime = "python3.12"
handler = "charge.handler"
code = "functions/charge"

[[limits]]
name = "payments"
task = "arn:aws:lambda:*:*:function:charge*"
concurrency = 2

[[limits]]
name = "orders"
state_machine = "taking-turns"
concurrency = 1
"""

# Writes when it begins and when it ends.
CHARGE = '''
import json, time

def note(event, what):
    with open(event["log"], "a") as log:
        log.write(json.dumps({"what": what, "n": event["n"], "at": time.time()}) + "\\n")

def handler(event, context):
    note(event, "begin")
    time.sleep(event.get("seconds", 0.15))
    note(event, "end")
    return {"n": event["n"]}
'''

CALL = {"StartAt": "Charge", "States": {"Charge": {
    "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True,
    "Parameters": {"FunctionName": "charge", "Payload.$": "$"}, "OutputPath": "$.Payload",
}}}


@pytest.fixture
def shop(tmp_path, new_server):
    """A server with the function and the limits."""
    code = tmp_path / "functions/charge"
    code.mkdir(parents=True)
    (code / "charge.py").write_text(CHARGE)
    config = tmp_path / "stepwright.toml"
    config.write_text(CONFIG)
    return new_server(config=config, cwd=tmp_path)


def overlap(lines):
    """The most calls at a time."""
    now, most = set(), 0
    for line in lines:
        (now.add if line["what"] == "begin" else now.discard)(line["n"])
        most = max(most, len(now))
    return most


def noted(log):
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def cli(server, *arguments, status=0):
    command = [str(BINARY), "limits", *arguments, "--endpoint", server.url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert result.returncode == status, result.stderr
    return result.stdout if status == 0 else result.stderr


def http(server, method, path, body=None, headers=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(server.url + path, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        return answer.code, json.loads(answer.read())


def start_many(workflows, machine, log, count, first=0, **more):
    def start(n):
        return workflows.start(machine, {"n": n, "log": str(log), **more})

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(start, range(first, first + count)))


def test_never_more_calls_at_a_time_than_allowed_also_across_a_kill(shop, tmp_path):
    workflows, log = Workflows(shop.client()), tmp_path / "calls"
    machine = workflows.create("charges", CALL)
    executions = start_many(workflows, machine, log, 20)
    status, shown = http(shop, "GET", "/limits/payments")
    assert (status, shown["origin"], shown["concurrency"]) == (200, "file", 2)
    assert shown["holders"] == 2 and shown["waiters"] >= 10
    lane = shown["lanes"][0]
    assert {visitor["execution_arn"] for visitor in lane["holding"] + lane["waiting"]} <= set(executions)
    assert lane["waiting"][0]["state"] == "Charge" and lane["waiting"][0]["for_s"] >= 0
    listed = cli(shop, "list")
    assert listed.splitlines()[1].split()[:2] == ["payments", "2"], listed
    assert "waits" in cli(shop, "show", "payments")
    metrics = urllib.request.urlopen(shop.url + "/metrics").read().decode()
    assert 'stepwright_limit_holders{limit="payments"} 2' in metrics
    assert 'stepwright_limit_waited_seconds_count{limit="payments"}' in metrics

    while len(noted(log)) < 12:
        time.sleep(0.01)
    shop.kill()
    before = len(noted(log))
    time.sleep(0.5)  # What was called before the kill may still run.
    first_life = noted(log)
    log.rename(tmp_path / "first-life")
    shop.start()
    for n, execution in enumerate(executions):
        ended = workflows.wait(execution)
        assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"n": n})
    second_life = noted(log)
    assert before >= 12 and overlap(first_life) == 2 and overlap(second_life) == 2
    # At most those that were under way were called twice.
    calls = [line["n"] for line in first_life + second_life if line["what"] == "begin"]
    assert set(calls) == set(range(20)) and len(calls) <= 22
    _, left = http(shop, "GET", "/limits/payments")
    assert (left["holders"], left["waiters"]) == (0, 0)


def test_a_limit_is_changed_while_the_server_runs_and_stays_so(shop, tmp_path):
    workflows, log = Workflows(shop.client()), tmp_path / "calls"
    machine = workflows.create("charges", CALL)
    executions = start_many(workflows, machine, log, 8, seconds=0.4)
    shown = cli(shop, "set", "payments", "--task", "charge", "--concurrency", "4")
    assert shown.startswith("payments: 4 at a time of task charge, from run time (over file)\n"), shown
    for execution in executions:
        workflows.wait(execution)
    assert overlap(noted(log)) == 4
    assert shop.stop() == 0
    shop.start()
    limits = json.loads(cli(shop, "--json"))["limits"]
    assert [(limit["name"], limit["origin"], limit["concurrency"]) for limit in limits] == [
        ("payments", "run_time_over_file", 4), ("orders", "file", 1),
    ]
    assert cli(shop, "remove", "payments") == ""
    assert json.loads(cli(shop, "show", "payments", "--json"))["concurrency"] == 2
    assert "is in the configuration file" in cli(shop, "remove", "payments", status=1)
    assert "there is no limit" in cli(shop, "show", "nothing", status=1)
    cli(shop, "set", "slow", "--task", "*", "--rate", "100/60", "--key", "{% $states.input.customer %}")
    assert http(shop, "GET", "/limits/slow")[1]["rate"] == {"count": 100, "per_s": 60}
    assert http(shop, "DELETE", "/limits/slow") == (200, {})
    assert subprocess.run([BINARY, "limits", "--endpoint", "http://127.0.0.1:9"], capture_output=True).returncode == 2


def test_what_cannot_be_a_limit_is_refused(shop):
    for body, message in [
        ({"task": "*"}, "say how much is allowed"),
        ({"concurrency": 1}, "say what it concerns"),
        ({"task": "*", "concurrency": 0}, "1 or more"),
        ({"task": "*", "concurrency": 1, "key": "{% $states. %}"}, "the key cannot be compiled"),
        ({"task": "*", "concurrency": 1, "name": "other"}, "names the limit"),
        ({"task": "*", "concurrency": 1, "colour": "red"}, "unknown field"),
        ([], "cannot be used"),
    ]:
        status, answer = http(shop, "PUT", "/limits/x", body)
        assert status == 400 and message in answer["error"], (body, answer)
    assert http(shop, "PUT", "/limits/a%20b", {"task": "*", "concurrency": 1})[0] == 400
    assert http(shop, "POST", "/limits")[0] == 405
    assert http(shop, "GET", "/limits/a/b")[0] == 404
    # A web page of somebody else is not let through.
    assert http(shop, "DELETE", "/limits/payments", headers={"Origin": "https://example.com"})[0] == 403


def test_executions_take_turns(shop, tmp_path):
    workflows, log = Workflows(shop.client()), tmp_path / "calls"
    machine = workflows.create("taking-turns", CALL)
    executions = start_many(workflows, machine, log, 5)
    waiting = [workflows.history(execution) for execution in executions]
    assert sum(len(history) == 1 for history in waiting) >= 3, "started, and in no state yet"
    for execution in executions:
        assert workflows.wait(execution)["status"] == "SUCCEEDED"
    assert overlap(noted(log)) == 1


def test_a_map_does_not_keep_other_executions_waiting(shop, tmp_path):
    workflows, log = Workflows(shop.client()), tmp_path / "calls"
    item = {"StartAt": "Charge", "States": CALL["States"]}
    many = workflows.create("many", {"StartAt": "M", "States": {"M": {
        "Type": "Map", "ItemsPath": "$.items", "ItemProcessor": item, "End": True}}})
    one = workflows.create("one", CALL)
    big = workflows.start(many, {"items": [{"n": n, "log": str(log)} for n in range(60)]})
    while not noted(log):
        time.sleep(0.01)
    small = workflows.start(one, {"n": 1000, "log": str(log)})
    assert workflows.wait(small)["status"] == "SUCCEEDED"
    calls_before = [line["n"] for line in noted(log) if line["what"] == "begin"].index(1000)
    assert calls_before < 12, "sixty of another execution were waiting"
    shop.client().stop_execution(executionArn=big)
    deadline = time.monotonic() + 10
    while http(shop, "GET", "/limits/payments")[1]["holders"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert http(shop, "GET", "/limits/payments")[1]["waiters"] == 0


@pytest.mark.parametrize("children", ["STANDARD", "EXPRESS"])
def test_children_of_a_distributed_map_are_counted(shop, tmp_path, children):
    workflows, log = Workflows(shop.client()), tmp_path / "calls"
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": children},
                 "StartAt": "Charge", "States": CALL["States"]}
    machine = workflows.create("spread", {"StartAt": "M", "States": {"M": {
        "Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}}})
    items = [{"n": n, "log": str(log), "seconds": 0.1} for n in range(12)]
    ended = workflows.wait(workflows.start(machine, {"items": items}))
    assert ended["status"] == "SUCCEEDED" and [item["n"] for item in json.loads(ended["output"])] == list(range(12))
    assert overlap(noted(log)) == 2
    assert http(shop, "GET", "/limits/payments")[1]["holders"] == 0


def test_requests_are_throttled_when_that_is_switched_on(new_server, tmp_path):
    config = tmp_path / "stepwright.toml"
    config.write_text('[throttling]\nprofile = "aws"\n[throttling.operations.ListActivities]\nbucket = 3\nrefill_per_s = 1\n')
    server = new_server(config=config)
    client = server.client()
    with pytest.raises(ClientError) as refused:
        for _ in range(5):
            client.list_activities()
    error = refused.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("ThrottlingException", "Rate exceeded")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "ListActivities" in http(server, "GET", "/throttling")[1]["operations"]
    assert http(server, "DELETE", "/throttling/ListActivities")[0] == 200
    for _ in range(5):
        client.list_activities()
    metrics = urllib.request.urlopen(server.url + "/metrics").read().decode()
    assert 'stepwright_throttled_requests_total{operation="ListActivities"}' in metrics


def test_the_command_line_proves_who_calls(new_server, tmp_path):
    keys = tmp_path / "credentials"
    keys.write_text("[alice]\naws_access_key_id = AKIDALICE\naws_secret_access_key = sixteen-or-more-letters\n")
    keys.chmod(0o600)
    config = tmp_path / "stepwright.toml"
    config.write_text(f'[credentials]\nfile = "{keys}"\n[audit]\nfile = "{tmp_path}/audit.jsonl"\n[tls]\ngenerated = true\n')
    listen = f"127.0.0.1:{free_port()}"
    command = [BINARY, "serve", "--config", config, "--listen", listen, "--data-dir", tmp_path / "data"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        certificate = tmp_path / "data/tls/certificate.pem"
        alice = {"AWS_ACCESS_KEY_ID": "AKIDALICE", "AWS_SECRET_ACCESS_KEY": "sixteen-or-more-letters",
                 "AWS_DEFAULT_REGION": "us-east-1", "AWS_CA_BUNDLE": str(certificate)}

        def limits(*arguments, **environment):
            command = [BINARY, "limits", *arguments, "--endpoint", f"https://localhost:{listen.split(':')[1]}"]
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)

        deadline = time.monotonic() + 20
        while limits(**alice).returncode == 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert limits(**alice).stdout == "There are no limits.\n", limits(**alice).stderr
        assert limits("set", "a", "--task", "*", "--concurrency", "1", **alice).returncode == 0
        forged = limits("remove", "a", **{**alice, "AWS_SECRET_ACCESS_KEY": "something-else-of-length"})
        assert forged.returncode == 1 and "signature" in forged.stderr.lower(), forged.stderr
        assert limits("remove", "a", AWS_CA_BUNDLE=str(certificate)).returncode == 1
        assert limits(**{**alice, "AWS_CA_BUNDLE": ""}).returncode == 2, "a certificate that nobody has vouched for"
        records = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
        assert any("PUT /limits/a" in json.dumps(record) and "alice" in json.dumps(record) for record in records)
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_a_configuration_that_cannot_be_used_says_why(tmp_path):
    for text, message in [
        ('[[limits]]\nname = "a"\ntask = "*"\n', "say how much is allowed"),
        ('[[limits]]\nname = "a"\ntask = "*"\nconcurrency = 1\n[[limits]]\nname = "a"\ntask = "*"\nconcurrency = 1\n', "twice"),
        ('[throttling.operations.Nothing]\nbucket = 1\nrefill_per_s = 1\n', "there is no operation"),
    ]:
        config = pathlib.Path(tmp_path) / "stepwright.toml"
        config.write_text(text)
        command = [BINARY, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert result.returncode == 2 and message in result.stderr, result.stderr
