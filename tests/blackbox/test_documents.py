"""What README and docs/ show is what happens: each page's shell blocks run in order, as a reader would run them, beside a server.

A block of `sh` runs with the binary and the AWS CLI on the PATH, the examples in the current directory, and a server with the
page's first `toml` block as its configuration. What a page says about port 8083 is about that server. `$ARN` is an EXPRESS state
machine there, `$EXECUTION_ARN` an execution of it that has ended. A block without a language
right behind it is what it prints (`…` stands for anything). Every `toml` block is a configuration that a server starts with.
A comment in front of a block says what is different: `<!-- not run: REASON -->`, `<!-- exits 1 -->`.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from conftest import BINARY, ROLE, ROOT, Server

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<note>(?:not run|exits)[^>]*?) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
BLOCK_LIMIT_S = 120
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class Block:
    def __init__(self, page, match, text):
        self.place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, match.start('language')) + 1}"
        self.language, self.text = match["language"], match["text"]
        note = match["note"] or ""
        self.is_run = not note.startswith("not run")
        assert self.is_run or len(note.removeprefix("not run:").strip()) > 5, f"{self.place}: why is it not run?"
        self.exit = int(note.removeprefix("exits")) if note.startswith("exits") else 0
        self.prints = None


def blocks(page):
    """The page's blocks; what one prints is with it."""
    text, found, end = page.read_text(), [], 0
    for match in BLOCK.finditer(text):
        block = Block(page, match, text)
        follows = not re.search(r"\n\n.*\n\n", text[end : match.start()])
        if block.language == "" and found and found[-1].language == "sh" and follows:
            found[-1].prints = block.text
        found.append(block)
        end = match.end()
    return found


@pytest.fixture
def desk(tmp_path):
    """A directory as a reader has it: the examples, and the binary where the README builds it."""
    desk = tmp_path / "desk"
    shutil.copytree(ROOT / "examples", desk / "examples")
    shutil.copytree(ROOT / "examples/functions", desk / "functions")
    (desk / "target/release").mkdir(parents=True)
    (desk / "target/release/stepwright").symlink_to(BINARY)
    return desk


def pages_with(language):
    return [page for page in PAGES if any(block.language == language and block.is_run for block in blocks(page))]


@pytest.mark.parametrize("page", pages_with("sh"), ids=lambda page: page.stem)
def test_commands_do_what_the_page_says(page, desk):
    config = next((block.text for block in blocks(page) if block.language == "toml" and block.is_run), None)
    if config is not None:
        (desk / "stepwright.toml").write_text(config)
    server = Server(desk / "data", cwd=desk).start()
    try:
        variables = {"STEPWRIGHT_ENDPOINT": server.url, "AWS_ENDPOINT_URL_SFN": server.url, **KEYS, **sample(server)}
        for block in blocks(page):
            if block.language == "sh" and block.is_run:
                run(block, desk, server, variables)
    finally:
        server.kill()


def sample(server):
    client = server.client()
    definition = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'
    arn = client.create_state_machine(name="sample", definition=definition, roleArn=ROLE, type="EXPRESS")["stateMachineArn"]
    return {"ARN": arn, "EXECUTION_ARN": client.start_sync_execution(stateMachineArn=arn)["executionArn"]}


def run(block, desk, server, variables):
    environment = desk / "environment.sh"
    text = block.text.replace("127.0.0.1:8083", f"127.0.0.1:{server.port}").replace("localhost:8083", f"localhost:{server.port}")
    script = f"[ ! -e {environment} ] || source {environment}\nset -eo pipefail\n{text}\nexport -p > {environment}\n"
    path = [str(desk / "target/release"), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=desk,
        env={**os.environ, "PATH": ":".join(path), "AWS_PAGER": "", "NO_COLOR": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=BLOCK_LIMIT_S,
    )
    assert done.returncode == block.exit, f"{block.place} ended with {done.returncode}:\n{done.stdout}"
    if block.prints is not None:
        assert shows(done.stdout, block.prints), f"{block.place} prints\n{done.stdout}\nand the page says\n{block.prints}"


def shows(printed, expected):
    """Whether the lines of `expected` are printed, in their order."""
    lines = iter(line.rstrip() for line in printed.splitlines())
    for wanted in (line.rstrip() for line in expected.splitlines() if line.strip()):
        pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
        if not any(re.fullmatch(pattern, line) for line in lines):
            return False
    return True


CONFIGURATIONS = [block for page in PAGES for block in blocks(page) if block.language == "toml" and block.is_run]


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=lambda block: block.place)
def test_configurations_are_accepted(block, desk):
    (desk / "stepwright.toml").write_text(block.text)
    server = Server(desk / "data", cwd=desk).start()
    assert server.stop() == 0, server.log_text()
