"""Whose a data directory is: account and region, which it keeps; several of them in one server; who may read it; signals."""

import json
import signal
import socket
import subprocess
import time

import boto3
import botocore.config
from conftest import BINARY, RUN_LIMIT_S, Workflows, free_port, pass_machine


def client(server, region="us-east-1", key="test"):
    config = botocore.config.Config(retries={"max_attempts": 0}, inject_host_prefix=False)
    options = {"region_name": region, "aws_access_key_id": key, "aws_secret_access_key": "test", "config": config}
    return boto3.client("stepfunctions", endpoint_url=server.url, **options)


def refused(server, *arguments):
    """A start on the directory of a server that is stopped."""
    command = [BINARY, "serve", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", server.data_dir / "store", *arguments]
    result = subprocess.run(command, cwd=server.data_dir, capture_output=True, text=True, timeout=30)
    return result.returncode, result.stderr


def test_a_directory_keeps_account_and_region(new_server):
    server = new_server(environment={"AWS_DEFAULT_REGION": "eu-central-1", "AWS_REGION": ""})
    workflows = Workflows(client(server, "eu-central-1"))
    machine = workflows.create("m", pass_machine())
    execution = workflows.start(machine, {})
    assert execution.startswith("arn:aws:states:eu-central-1:123456789012:execution:m:")
    server.stop()
    # The shell of somebody else changes nothing.
    server.environment["AWS_DEFAULT_REGION"] = "us-west-2"
    server.start()
    assert "account    123456789012 in eu-central-1" in server.log_text()
    assert workflows.wait(execution)["status"] == "SUCCEEDED"
    unsigned = json.loads(server.post("AWSStepFunctions.ListStateMachines", {})[2])
    assert [found["stateMachineArn"] for found in unsigned["stateMachines"]] == [machine]
    server.stop()
    for flag, value, own in (("--region", "us-west-2", "region eu-central-1"), ("--account-id", "111122223333", "account 123456789012")):
        code, text = refused(server, flag, value)
        assert code == 2 and f"belongs to {own}, not {value}" in text and f"Leave out {flag}" in text
    server.start()


def test_a_directory_of_before_says_it_by_its_arns(new_server):
    server = new_server(environment={"AWS_DEFAULT_REGION": "eu-central-1", "AWS_REGION": ""})
    Workflows(client(server, "eu-central-1")).create("m", pass_machine())
    server.stop()
    (server.data_dir / "store/stepwright.identity").unlink()
    server.environment["AWS_DEFAULT_REGION"] = "us-west-2"
    server.start()
    assert 'region = "eu-central-1"' in (server.data_dir / "store/stepwright.identity").read_text()


def test_several_regions_and_accounts_in_one_server(new_server):
    server = new_server()
    stages = [("us-east-1", "test", "123456789012"), ("eu-west-1", "test", "123456789012"), ("us-east-1", "111122223333", "111122223333")]
    executions = {}
    for region, key, account in stages:
        workflows = Workflows(client(server, region, key))
        wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "C"}, "C": {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"}, "End": True}}}
        machine = workflows.create("same", wait)
        assert machine == f"arn:aws:states:{region}:{account}:stateMachine:same"
        executions[(region, key)] = workflows.start(machine, {}, name="same")
        assert executions[(region, key)] == f"arn:aws:states:{region}:{account}:execution:same:same"
    # Under way, over a kill.
    server.kill()
    server.start()
    for region, key, account in stages:
        stage = client(server, region, key)
        ended = Workflows(stage).wait(executions[(region, key)])
        assert json.loads(ended["output"]) == {"id": executions[(region, key)]}
        listed = stage.list_state_machines()["stateMachines"]
        assert [found["stateMachineArn"] for found in listed] == [f"arn:aws:states:{region}:{account}:stateMachine:same"]
        listed = stage.list_executions(stateMachineArn=listed[0]["stateMachineArn"])["executions"]
        assert [found["executionArn"] for found in listed] == [executions[(region, key)]]


def test_the_directory_is_for_its_owner(new_server):
    server = new_server()
    store = server.data_dir / "store"
    mode = lambda path: path.stat().st_mode & 0o777  # noqa: E731
    check = lambda: {path.name: mode(path) for path in store.iterdir() if path.is_file() and mode(path) & 0o077}  # noqa: E731
    assert mode(store) == 0o700 and check() == {}
    server.stop()
    store.chmod(0o755)
    for path in store.iterdir():
        path.chmod(0o644)
    server.start()
    assert mode(store) == 0o700 and check() == {}


def test_signals(new_server):
    server = new_server()
    # Without credentials there is nothing to read again; it goes on all the same.
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + RUN_LIMIT_S
    while "SIGHUP" not in server.log_text():
        assert server.process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    assert server.post("AWSStepFunctions.ListActivities", {})[0] == 200
    # Somebody who never finishes a request does not keep it from ending.
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=RUN_LIMIT_S) in (0, 128 + signal.SIGTERM)


def test_pages_of_others_read_nothing(new_server):
    server = new_server()
    for path in ("/express-executions", "/metrics", "/limits", "/throttling", "/healthz"):
        for headers in ("Host: rebind.example:8083\r\n", "Host: localhost\r\nOrigin: https://other.example\r\n"):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode())
                answer = b""
                while part := connection.recv(65536):
                    answer += part
            assert answer.startswith(b"HTTP/1.1 403 "), (path, headers, answer)
