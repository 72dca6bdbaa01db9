"""The release binary, driven as its users drive it: boto3, the AWS CLI, and plain HTTP where a client would not send it."""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.config
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("STEPWRIGHT_BINARY", ROOT / "target/release/stepwright"))
ROLE = "arn:aws:iam::123456789012:role/workflows"
START_LIMIT_S = 20
RUN_LIMIT_S = 30


# Below those that the system gives to connections, so that a server finds its port free when it starts again; each worker
# of pytest has its own.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = itertools.cycle(range(20_000 + 1_000 * WORKER, 21_000 + 1_000 * WORKER))


def free_port():
    for port in itertools.islice(PORTS, 1_000):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Server:
    """A server process on a data directory; can be killed and started again on the same port."""

    def __init__(self, data_dir, config=None, environment=None, cwd=None):
        self.data_dir, self.config, self.cwd = pathlib.Path(data_dir), config, cwd or data_dir
        self.port = free_port()
        self.environment = {**os.environ, **(environment or {})}
        for name in ("LAMBDA_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"):
            if name not in (environment or {}):
                self.environment.pop(name, None)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = [BINARY, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.data_dir / "store"]
        if self.config:
            command += ["--config", self.config]
        self.log = open(self.data_dir / "server.log", "ab")
        self.process = subprocess.Popen(command, env=self.environment, cwd=self.cwd, stderr=self.log, stdout=self.log)
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            assert self.process.poll() is None, f"the server ended: {self.log_text()}"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/readyz", timeout=1).read()
                return self
            assert time.monotonic() < deadline, f"the server does not answer: {self.log_text()}"
            time.sleep(0.005)

    def log_text(self):
        return (self.data_dir / "server.log").read_text(errors="replace")

    def kill(self):
        """As a power cut would, as far as the process is concerned."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        """Asks it to end, and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=20)
        self.log.close()
        return status

    def client(self, **options):
        config = botocore.config.Config(
            retries={"max_attempts": 1}, read_timeout=75, inject_host_prefix=False, max_pool_connections=64, **options
        )
        return boto3.client(
            "stepfunctions",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def post(self, target, body, headers=None):
        """A request that no AWS client would send. Returns status, headers, body."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            **({"X-Amz-Target": target} if target is not None else {}),
            **(headers or {}),
        }
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/", body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, dict(answer.headers), answer.read()


@pytest.fixture
def new_server(tmp_path):
    """Makes servers; ends those that still run when the test is over."""
    servers = []

    def make(name="server", **options):
        server = Server(tmp_path / name, **options).start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    """One server for all tests that neither stop nor configure it."""
    server = Server(tmp_path_factory.mktemp("shared")).start()
    yield server
    assert server.stop() == 0, server.log_text()


@pytest.fixture(scope="session")
def sfn(shared_server):
    return shared_server.client()


class Workflows:
    """Short ways to create and run state machines through a client."""

    def __init__(self, client):
        self.client = client

    def create(self, name, definition, type="STANDARD"):
        return self.client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE, type=type
        )["stateMachineArn"]

    def start(self, machine, input=None, **options):
        return self.client.start_execution(stateMachineArn=machine, input=json.dumps(input if input is not None else {}), **options)[
            "executionArn"
        ]

    def wait(self, execution, limit_s=RUN_LIMIT_S):
        deadline = time.monotonic() + limit_s
        while True:
            description = self.client.describe_execution(executionArn=execution)
            if description["status"] != "RUNNING":
                return description
            assert time.monotonic() < deadline, f"{execution} still runs"
            time.sleep(0.01)

    def history(self, execution):
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def run(self, machine, input=None, **options):
        execution = self.start(machine, input, **options)
        return self.wait(execution), self.history(execution)


@pytest.fixture
def workflows(sfn):
    return Workflows(sfn)


def event_types(history):
    return [event["type"] for event in history]


def assert_well_formed(history):
    """Ids are dense, links point back, time does not run backwards."""
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    for event in history:
        assert event.get("previousEventId", 0) < event["id"]
    times = [event["timestamp"] for event in history]
    assert times == sorted(times)


def aws_cli(server, *arguments, check=True):
    """Runs the real AWS CLI against the server."""
    command = [str(pathlib.Path(sys.executable).parent / "aws"), "--endpoint-url", server.url, "--region", "us-east-1"]
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
        # `sync-127.0.0.1` is not a host.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    result = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    if check:
        assert result.returncode == 0, result.stderr
    return result


def pass_machine(states=1):
    names = [f"S{n}" for n in range(states)]
    return {
        "StartAt": names[0],
        "States": {
            name: {"Type": "Pass", **({"Next": names[n + 1]} if n + 1 < states else {"End": True})}
            for n, name in enumerate(names)
        },
    }
