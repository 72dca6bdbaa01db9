"""The clients that drive the server: boto3, the AWS CLI, and the AWS SDK for JavaScript, behind one face."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import botocore.exceptions
import pytest
from conftest import ROOT, aws_cli

JAVASCRIPT = ROOT / "tests/blackbox/javascript"


class Refused(Exception):
    """The service has refused a call."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def plain(value):
    """An answer as JSON has it; dates become text."""
    return json.loads(json.dumps(value, default=str))


def snake(operation):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


class Boto3:
    def __init__(self, server):
        self.client = server.client()

    def call(self, operation, arguments):
        try:
            answer = getattr(self.client, snake(operation))(**arguments)
        except botocore.exceptions.ClientError as error:
            raise Refused(error.response["Error"]["Code"], error.response["Error"]["Message"]) from None
        answer.pop("ResponseMetadata")
        return plain(answer)

    def pages(self, operation, arguments, page_size):
        paginator = self.client.get_paginator(snake(operation))
        return [plain(page) for page in paginator.paginate(**arguments, PaginationConfig={"PageSize": page_size})]

    def close(self):
        self.client.close()


class CommandLine:
    def __init__(self, server):
        self.server = server

    def call(self, operation, arguments, options=("--no-paginate",)):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(arguments, file)
            file.flush()
            words = ["stepfunctions", snake(operation).replace("_", "-"), "--cli-input-json", f"file://{file.name}"]
            result = aws_cli(self.server, *words, *options, check=False)
        if result.returncode != 0:
            found = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation: (.*)", result.stderr, re.S)
            assert found, result.stderr
            raise Refused(found[1], found[2].strip())
        return json.loads(result.stdout or "{}")

    def pages(self, operation, arguments, page_size):
        # The command line follows the pages by itself and shows one.
        return [self.call(operation, arguments, ("--page-size", str(page_size)))]

    def close(self):
        pass


class JavaScript:
    def __init__(self, server):
        command = ["node", installed_driver(), server.url]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"], answer["message"])
        return answer

    def call(self, operation, arguments):
        return self.send({"operation": operation, "arguments": arguments})["answer"]

    def pages(self, operation, arguments, page_size):
        return self.send({"operation": operation, "arguments": arguments, "paginate": page_size})["pages"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


def installed_driver():
    """The driver beside its packages, which npm installs from the lockfile when that has changed."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node.js is not installed")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "blackbox-javascript"
    stamp = target / "installed.json"
    wanted = (JAVASCRIPT / "package-lock.json").read_text()
    target.mkdir(parents=True, exist_ok=True)
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(JAVASCRIPT / name, target / name)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=target, check=True, capture_output=True, timeout=240)
        stamp.write_text(wanted)
    shutil.copy(JAVASCRIPT / "driver.mjs", target / "driver.mjs")
    return target / "driver.mjs"


CLIENTS = {"boto3": Boto3, "cli": CommandLine, "javascript": JavaScript}
