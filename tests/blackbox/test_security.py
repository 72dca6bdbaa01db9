"""Who may call: real clients with right and wrong keys, hostile connections, and what reaches logs."""

import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import subprocess
import time
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest
from conftest import BINARY, ROLE, RUN_LIMIT_S, Server, Workflows, free_port, pass_machine

KEY, SECRET = "AKIDALICE", "alices-secret-of-some-length/+="
IDLE_CONNECTIONS = 10_000


def credentials_file(directory, text=None, mode=0o600, name="credentials"):
    path = pathlib.Path(directory) / name
    fresh = path.with_suffix(".new")
    fresh.write_text(text or f"[alice]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    fresh.chmod(mode)
    fresh.rename(path)
    return path


@pytest.fixture
def protected(new_server, tmp_path):
    """A server that knows one key, with an audit log."""
    environment = {"STEPWRIGHT_CREDENTIALS": str(credentials_file(tmp_path)), "STEPWRIGHT_AUDIT": str(tmp_path / "audit.jsonl")}
    return new_server(environment=environment)


def client(server, key=KEY, secret=SECRET, token=None, region="us-east-1", url=None, verify=None):
    config = botocore.config.Config(retries={"max_attempts": 0}, inject_host_prefix=False, read_timeout=75)
    return boto3.client(
        "stepfunctions",
        endpoint_url=url or server.url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
        verify=verify,
    )


def code_of(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def signed(server, body=b"{}", target="AWSStepFunctions.ListActivities", service="states", region="us-east-1", at=None, headers=(), host=None):
    """A request as botocore signs it."""
    url = f"http://{host}/" if host else server.url + "/"
    request = botocore.awsrequest.AWSRequest(
        "POST", url, data=body, headers={"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0", **dict(headers)}
    )
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), service, region)
    if at is None:
        signer.add_auth(request)
    else:
        # botocore asks one function for the time; where it is depends on the version.
        module = botocore.auth
        name = "get_current_datetime" if hasattr(module, "get_current_datetime") else None
        if name:
            before = getattr(module, name)
            setattr(module, name, lambda *_, **__: at.replace(tzinfo=None))
        else:
            before, name = module.datetime, "datetime"

            class Clock:
                datetime = type("datetime", (datetime.datetime,), {"utcnow": staticmethod(lambda: at.replace(tzinfo=None))})

            module.datetime = Clock
        try:
            signer.add_auth(request)
        finally:
            setattr(module, name, before)
    return dict(request.headers)


def post(server, headers, body=b"{}"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def error_of(answer):
    status, body = answer
    return status, body.get("__type", "").split("#")[-1]


def test_boto3_with_right_and_wrong_keys(protected):
    right = client(protected)
    assert right.list_state_machines()["stateMachines"] == []
    machine = Workflows(right).create("m", pass_machine())
    execution = Workflows(right).start(machine, {"a": 1})
    assert Workflows(right).wait(execution)["status"] == "SUCCEEDED"
    assert code_of(client(protected, secret="not-alices-secret-at-all").list_state_machines) == "InvalidSignatureException"
    assert code_of(client(protected, key="AKIDMALLORY").list_state_machines) == "UnrecognizedClientException"
    assert code_of(client(protected, token="token").list_state_machines) == "UnrecognizedClientException"
    assert client(protected, region="eu-west-1").list_state_machines()["stateMachines"] == []
    unsigned = protected.post("AWSStepFunctions.ListStateMachines", {})
    assert unsigned[0] == 400 and b"MissingAuthenticationTokenException" in unsigned[2]


def test_the_cli_with_right_and_wrong_keys(protected):
    command = [str(pathlib.Path(os.sys.executable).parent / "aws"), "--endpoint-url", protected.url, "--region", "us-east-1"]
    command += ["stepfunctions", "list-state-machines"]
    for secret, expected in ((SECRET, None), ("not-alices-secret-at-all", "InvalidSignatureException")):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": secret, "AWS_CONFIG_FILE": os.devnull}
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        if expected is None:
            assert result.returncode == 0 and json.loads(result.stdout) == {"stateMachines": []}, result.stderr
        else:
            assert result.returncode != 0 and expected in result.stderr


def test_what_was_signed_is_what_counts(protected):
    assert post(protected, signed(protected)) == (200, {"activities": []})
    for host in ("states.us-east-1.amazonaws.com", "sync-states.us-east-1.amazonaws.com", "sync-localhost:8083"):
        assert post(protected, {**signed(protected, host=host), "Host": host})[0] == 200
    now = datetime.datetime.now(datetime.timezone.utc)
    minutes = lambda count: signed(protected, at=now + datetime.timedelta(minutes=count))  # noqa: E731
    assert post(protected, minutes(-4))[0] == 200 and post(protected, minutes(4))[0] == 200
    wrong = {
        "late": (minutes(-6), b"{}", "Signature expired: "),
        "early": (minutes(6), b"{}", "Signature not yet current: "),
        "altered body": (signed(protected), b"{ }", "The request signature we calculated does not match"),
        "other region": (signed(protected, region="EU_west"), b"{}", "Credential should be scoped to a valid region"),
        "other service": (signed(protected, service="lambda"), b"{}", "Credential should be scoped to correct service: 'states'. "),
        "altered target": ({**signed(protected), "X-Amz-Target": "AWSStepFunctions.ListStateMachines"}, b"{}", "The request signature"),
        "other host": ({**signed(protected), "Host": "example.com"}, b"{}", "The request signature"),
        "unsigned header": ({**signed(protected), "X-Amz-Other": "a"}, b"{}", "'x-amz-other' must be a 'SignedHeader'"),
        "unsigned payload": (signed(protected, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}), b"{}", "The "),
    }
    for case, (headers, body, message) in wrong.items():
        status, answer = post(protected, headers, body)
        assert (status, answer["__type"].split("#")[-1]) == (400, "InvalidSignatureException"), case
        assert answer["message"].startswith(message), (case, answer)
    lacking = signed(protected)
    lacking["Authorization"] = re.sub("x-amz-target", "", lacking["Authorization"])
    assert error_of(post(protected, lacking)) == (400, "InvalidSignatureException")
    lacking["Authorization"] = "Bearer nonsense"
    assert error_of(post(protected, lacking)) == (400, "IncompleteSignatureException")


def test_keys_change_without_a_restart(protected, tmp_path):
    assert client(protected).list_activities()["activities"] == []
    credentials_file(tmp_path, f"[bob]\naws_access_key_id=AKIDBOB\naws_secret_access_key={SECRET}\naws_session_token=token\n")
    bob = client(protected, key="AKIDBOB", token="token")
    deadline = time.monotonic() + RUN_LIMIT_S
    while True:
        with contextlib.suppress(botocore.exceptions.ClientError):
            bob.list_activities()
            break
        assert time.monotonic() < deadline, protected.log_text()
        time.sleep(0.05)
    assert code_of(client(protected).list_activities) == "UnrecognizedClientException"
    credentials_file(tmp_path, "[bob]\nnonsense\n")
    while "the credentials stay as they were" not in protected.log_text():
        assert time.monotonic() < deadline, protected.log_text()
        time.sleep(0.05)
    assert bob.list_activities()["activities"] == [] and SECRET not in protected.log_text()


def serve(directory, *arguments, environment=None):
    command = [BINARY, "serve", "--data-dir", pathlib.Path(directory) / "refused", *arguments]
    return subprocess.run(command, cwd=directory, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=30)


def test_refusals_say_what_to_do(tmp_path):
    refused = serve(tmp_path, "--listen", f"0.0.0.0:{free_port()}")
    assert refused.returncode == 2
    assert "--credentials FILE" in refused.stderr and "chmod 600" in refused.stderr and "127.0.0.1" in refused.stderr
    readable = credentials_file(tmp_path, mode=0o644)
    refused = serve(tmp_path, "--listen", f"0.0.0.0:{free_port()}", "--credentials", readable)
    assert refused.returncode == 2 and "chmod 600" in refused.stderr and SECRET not in refused.stderr
    refused = serve(tmp_path, environment={"STEPWRIGHT_ACCESS_KEY_ID": KEY})
    assert refused.returncode == 2 and "STEPWRIGHT_SECRET_ACCESS_KEY" in refused.stderr


def test_beyond_loopback_with_tls(tmp_path):
    port, data = free_port(), tmp_path / "data"
    command = [BINARY, "serve", "--listen", f"0.0.0.0:{port}", "--data-dir", data, "--tls-generated"]
    environment = {**os.environ, "STEPWRIGHT_ACCESS_KEY_ID": KEY, "STEPWRIGHT_SECRET_ACCESS_KEY": SECRET}
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=log, stdout=log)
    try:
        certificate, url = data / "tls/certificate.pem", f"https://localhost:{port}"
        deadline = time.monotonic() + RUN_LIMIT_S
        while True:
            with contextlib.suppress(OSError):
                trust = ssl.create_default_context(cafile=certificate)
                urllib.request.urlopen(f"{url}/readyz", timeout=1, context=trust).read()
                break
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.05)
        assert client(None, url=url, verify=str(certificate)).list_activities()["activities"] == []
        with pytest.raises(botocore.exceptions.SSLError):
            client(None, url=url).list_activities()
        assert (data / "tls/private-key.pem").stat().st_mode & 0o777 == 0o600
        assert "SHA-256 " in (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()


def half_open(port, sent):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(sent)
    return connection


def test_slow_and_half_open_connections(shared_server):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListActivities\r\n"
    starts = [b"", b"P", head, head + b"Content-Length: 100\r\n\r\n{", head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"]
    connections = [half_open(shared_server.port, start) for start in starts for _ in range(100)]
    for _ in range(5):
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.sendall(b"X")
        assert shared_server.post("AWSStepFunctions.ListActivities", {})[0] == 200
    for connection in connections[::2]:
        # A reset instead of an end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    for connection in connections:
        connection.close()
    assert shared_server.post("AWSStepFunctions.ListActivities", {})[0] == 200
    assert "panicked" not in shared_server.log_text()


def resident_mb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def idle_connections(server):
    """Opens them, half of them in the middle of a request, and closes them. Returns the slowest answer meanwhile, in seconds, and the
    resident memory, in MB."""
    idle, slowest = [], 0
    # One that is in use all the time stays, whatever comes.
    busy = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        for count in range(IDLE_CONNECTIONS):
            idle.append(half_open(server.port, b"POST / HTTP/1.1\r\n" if count % 2 else b""))
            if count % 500 == 0:
                started = time.monotonic()
                assert server.post("AWSStepFunctions.ListActivities", {})[0] == 200
                slowest = max(slowest, time.monotonic() - started)
                busy.request("GET", "/healthz")
                assert busy.getresponse().read() == b"ok\n"
        assert server.post("AWSStepFunctions.ListActivities", {})[0] == 200
        return slowest, resident_mb(server)
    finally:
        for connection in idle:
            connection.close()
        busy.close()


def test_ten_thousand_idle_connections(new_server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < IDLE_CONNECTIONS + 500:
        pytest.skip(f"this machine allows {hard} file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        server = new_server()
        seen = [("before", resident_mb(server))]
        for number in range(3):
            slowest, resident = idle_connections(server)
            assert slowest < 5
            seen.append((f"round {number}", resident))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    print(seen)
    # So much for each connection that there is a place for, and no more the next time: the allocator keeps some, nothing is lost.
    assert seen[1][1] < seen[0][1] + 400
    assert seen[3][1] < seen[1][1] + 40
    metrics = urllib.request.urlopen(f"{server.url}/metrics", timeout=5).read().decode()
    assert re.search(r"stepwright_connections_evicted_total [1-9]", metrics)


def test_memory_comes_back_after_large_and_broken_bodies(new_server):
    server = new_server()
    body = json.dumps({"name": "x", "roleArn": ROLE, "definition": "[" * (1 << 20)}).encode()
    round_of = lambda: [server.post("AWSStepFunctions.CreateStateMachine", body) for _ in range(40)]  # noqa: E731
    assert {answer[0] for answer in round_of()} == {400}
    before = resident_mb(server)
    for _ in range(3):
        round_of()
    assert resident_mb(server) < before + 64


MARKER = "zq7MARKERx9"
"""Goes into every member that the model marks sensitive."""


def sensitive(model, shape, seen=()):
    """A value with the marker wherever the shape, or what is in it, is sensitive; None where nothing is."""
    if shape.name in seen:
        return None
    inner = (*seen, shape.name)
    if shape.type_name == "structure":
        members = {name: sensitive(model, member, inner) for name, member in shape.members.items()}
        return {name: value for name, value in members.items() if value is not None} or None
    if shape.type_name == "list":
        value = sensitive(model, shape.member, inner)
        return None if value is None else [value]
    if shape.type_name == "string" and shape.metadata.get("sensitive"):
        return MARKER
    return None


def test_sensitive_members_reach_no_log(new_server, tmp_path):
    """With everything logged: calls that succeed, calls that fail, in every operation."""
    audit = tmp_path / "audit.jsonl"
    server = new_server(environment={"RUST_LOG": "trace", "STEPWRIGHT_AUDIT": str(audit)})
    sfn = server.client()
    flows = Workflows(sfn)
    # What succeeds.
    definition = {
        "StartAt": MARKER,
        "Comment": MARKER,
        "States": {
            MARKER: {"Type": "Pass", "Assign": {"v": MARKER}, "Next": "T"},
            "T": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "HeartbeatSeconds": 60, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "F"}], "Next": "F"},
            "F": {"Type": "Fail", "Error": MARKER, "Cause": MARKER},
        },
    }
    activity = sfn.create_activity(name="a")["activityArn"]
    created = sfn.create_state_machine(name="m", definition=json.dumps(definition), roleArn=ROLE, publish=True, versionDescription=MARKER)
    machine, version = created["stateMachineArn"], created["stateMachineVersionArn"]
    sfn.create_state_machine_alias(name="live", description=MARKER, routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}])
    for answer in (sfn.send_task_success, sfn.send_task_failure):
        execution = flows.start(machine, {"secret": MARKER})
        task = sfn.get_activity_task(activityArn=activity)
        sfn.send_task_heartbeat(taskToken=task["taskToken"])
        given = {"output": json.dumps(MARKER)} if answer == sfn.send_task_success else {"error": MARKER, "cause": MARKER}
        answer(taskToken=task["taskToken"], **given)
        assert flows.wait(execution)["status"] == "FAILED"
        assert MARKER in json.dumps(flows.history(execution), default=str)
    running = flows.start(machine, {"secret": MARKER})
    sfn.stop_execution(executionArn=running, error=MARKER, cause=MARKER)
    express = flows.create("e", {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": MARKER, "Cause": MARKER}}}, type="EXPRESS")
    sfn.start_sync_execution(stateMachineArn=express, input=json.dumps(MARKER))
    sfn.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition), publish=True, versionDescription=MARKER)
    sfn.test_state(definition=json.dumps({"Type": "Pass", "Result": MARKER, "End": True}), roleArn=ROLE, input=json.dumps(MARKER))
    sfn.validate_state_machine_definition(definition=json.dumps({**definition, "States": {MARKER: {"Type": MARKER}}}))
    # What fails, in every operation: sensitive members alone, and as something of another kind.
    model = sfn.meta.service_model
    arns = {"stateMachineArn": machine, "executionArn": running, "activityArn": activity, "resourceArn": machine, "name": "n", "roleArn": ROLE}
    tried = 0
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        members = sensitive(model, shape) or {}
        known = {name: value for name, value in arns.items() if name in shape.members}
        bodies = [members, {**known, **members}, {**known, **{name: [MARKER] for name in members}}, {**known, **{name: {MARKER: 1} for name in members}}]
        bodies += [{**known, name: json.dumps({MARKER: MARKER})} for name in members]
        bodies += [{**known, name: MARKER * 100_000} for name in members]
        for body in bodies:
            assert server.post(f"AWSStepFunctions.{operation}", body)[0] < 500, (operation, str(body)[:200])
        server.post(f"AWSStepFunctions.{operation}", b'{"x": "' + MARKER.encode())
        tried += len(members)
    assert tried > 20
    metrics = urllib.request.urlopen(f"{server.url}/metrics", timeout=5).read().decode()
    assert server.stop() == 0
    assert "StartExecution" in audit.read_text() and "stepwright_api_requests_total" in metrics
    for where, text in (("the log", server.log_text()), ("the audit log", audit.read_text()), ("the metrics", metrics)):
        lines = [line for line in text.splitlines() if MARKER in line or task["taskToken"] in line]
        assert not lines, (where, lines[:3])
