"""Whatever comes in gets an answer that says what is wrong; the server lives on."""

import json
import socket

import pytest
from conftest import ROLE, pass_machine

CREATE = "AWSStepFunctions.CreateStateMachine"


def create(definition, name="n", **more):
    return {"name": name, "definition": definition if isinstance(definition, str) else json.dumps(definition), "roleArn": ROLE, **more}


CASES = {
    "no target": (None, {}, 400, "UnknownOperationException"),
    "unknown target": ("AWSStepFunctions.Nonsense", {}, 400, "UnknownOperationException"),
    "other service": ("DynamoDB_20120810.GetItem", {}, 400, "UnknownOperationException"),
    "not JSON": (CREATE, b"{", 400, "SerializationException"),
    "not an object": (CREATE, b"[]", 400, "SerializationException"),
    "wrong type": (CREATE, {"name": 5, "definition": "{}", "roleArn": ROLE}, 400, "SerializationException"),
    "not UTF-8": (CREATE, b'{"name": "\xff\xfe"}', 400, "SerializationException"),
    "deep nesting": (CREATE, b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "SerializationException"),
    "missing members": (CREATE, {"name": "x"}, 400, "ValidationException"),
    "long name": (CREATE, create(pass_machine(), "n" * 81), 400, "ValidationException"),
    "bad name": (CREATE, create(pass_machine(), "a b"), 400, "InvalidName"),
    "definition is no JSON": (CREATE, create("{"), 400, "InvalidDefinition"),
    "definition is a list": (CREATE, create("[]"), 400, "InvalidDefinition"),
    "definition without states": (CREATE, create({"StartAt": "X"}), 400, "InvalidDefinition"),
    "definition with a loose end": (
        CREATE,
        create({"StartAt": "X", "States": {"X": {"Type": "Pass", "Next": "Y"}}}),
        400,
        "InvalidDefinition",
    ),
    "definition nested deeply": (CREATE, create("[" * 200_000), 400, "InvalidDefinition"),
    "bad machine ARN": ("AWSStepFunctions.DescribeStateMachine", {"stateMachineArn": "nonsense"}, 400, "InvalidArn"),
    "no such machine": (
        "AWSStepFunctions.DescribeStateMachine",
        {"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:nowhere"},
        400,
        "StateMachineDoesNotExist",
    ),
    "bad token": ("AWSStepFunctions.SendTaskSuccess", {"taskToken": "nonsense", "output": "{}"}, 400, "InvalidToken"),
    "bad token before bad output": ("AWSStepFunctions.SendTaskSuccess", {"taskToken": "AAAA", "output": "{"}, 400, "InvalidToken"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_with_a_reason(shared_server, case):
    target, body, status, code = CASES[case]
    answered, headers, text = shared_server.post(target, body)
    assert answered == status, text
    error = json.loads(text)
    assert error["__type"].split("#")[-1] == code, error
    assert error.get("message") or error.get("Message") or code == "UnknownOperationException"
    assert headers.get("x-amzn-RequestId") or headers.get("x-amzn-requestid")


def test_a_body_over_the_limit(shared_server):
    status, _, text = shared_server.post(CREATE, b'{"name":"' + b"x" * (3 << 20) + b'"}')
    assert status in (400, 413) and json.loads(text)["__type"]


def test_execution_input_must_be_json(workflows):
    machine = workflows.create("bad-input", pass_machine())
    for text in ("{", "nonsense", "[1,]", ""):
        with pytest.raises(workflows.client.exceptions.InvalidExecutionInput):
            workflows.client.start_execution(stateMachineArn=machine, input=text)


def test_garbage_on_the_socket(shared_server):
    for garbage in (b"\x00" * 4096, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100_000, b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", shared_server.port), timeout=10) as connection:
            try:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except OSError:
                pass
    status, _, _ = shared_server.post("AWSStepFunctions.ListStateMachines", {})
    assert status == 200
