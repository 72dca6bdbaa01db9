"""What is acknowledged survives the process."""

import concurrent.futures
import json
import os
import random
import subprocess
import threading
import time

import pytest
from conftest import BINARY, Workflows, assert_well_formed, pass_machine

WAIT = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "W"}, "W": {"Type": "Wait", "Seconds": 2, "Next": "B"}, "B": {"Type": "Pass", "End": True}}}


def test_kill_and_go_on(new_server):
    server = new_server()
    workflows = Workflows(server.client())
    machine = workflows.create("waits", WAIT)
    executions = [workflows.start(machine, {"n": n}) for n in range(50)]
    server.kill()
    server.start()
    for n, execution in enumerate(executions):
        description = workflows.wait(execution)
        assert description["status"] == "SUCCEEDED" and json.loads(description["output"]) == {"n": n}
        assert_well_formed(workflows.history(execution))
    assert server.stop() == 0


def test_activity_tasks_survive(new_server):
    server = new_server()
    workflows = Workflows(server.client())
    activity = workflows.client.create_activity(name="work")["activityArn"]
    machine = workflows.create("works", {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}})
    queued, taken = workflows.start(machine, {"n": 1}), None
    task = workflows.client.get_activity_task(activityArn=activity, workerName="first")
    taken = workflows.start(machine, {"n": 2})
    server.kill()
    server.start()
    workflows.client.send_task_success(taskToken=task["taskToken"], output='"done"')
    assert json.loads(workflows.wait(queued)["output"]) == "done"
    with pytest.raises(workflows.client.exceptions.TaskTimedOut):
        workflows.client.send_task_success(taskToken=task["taskToken"], output='"twice"')
    task = workflows.client.get_activity_task(activityArn=activity)
    assert json.loads(task["input"]) == {"n": 2}
    workflows.client.send_task_failure(taskToken=task["taskToken"], error="Bad", cause="luck")
    assert workflows.wait(taken)["error"] == "Bad"


def test_a_second_server_on_the_same_data_is_refused(new_server):
    server = new_server()
    second = subprocess.run(
        [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir / "store"],
        capture_output=True, text=True, timeout=20,
    )
    assert second.returncode == 3
    assert "in use" in second.stderr and str(server.data_dir) in second.stderr


def test_a_foreign_directory_is_refused_and_left_alone(tmp_path):
    directory = tmp_path / "foreign"
    directory.mkdir()
    for attempt in (b"not a database at all" * 300, os.urandom(8192)):
        names = {path.name for path in directory.iterdir()}
        for name in names:
            (directory / name).unlink()
        (directory / "stepwright.db").write_bytes(attempt)
        result = subprocess.run(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", directory], capture_output=True, text=True, timeout=20
        )
        assert result.returncode == 3, result.stderr
        assert (directory / "stepwright.db").read_bytes() == attempt


NESTED = "arn:aws:states:::states:startExecution"


def one_state(**state):
    return {"StartAt": "S", "States": {"S": {"Type": "Task", "End": True, **state}}}


def crash_machines(workflows):
    """What the crash test runs. Each yields the number that it got; those that fail on the way are redriven."""
    client = workflows.client
    work = client.create_activity(name="crash-work")["activityArn"]
    waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True}}}
    child = workflows.create("crash-child", waits)
    reply = {"TaskToken.$": "$.token", "Output": {"n.$": "$.n"}}
    answers = workflows.create("crash-answers", one_state(Resource="arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", Parameters=reply))
    again = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 100, "BackoffRate": 1.0}]
    branches = [pass_machine(2), {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}]
    asks = {"StateMachineArn": answers, "Input": {"token.$": "$$.Task.Token", "n.$": "$.n"}}
    machines = {
        "passes": pass_machine(5),
        "waits": waits,
        "works": one_state(Resource=work, TimeoutSeconds=3, Retry=again),
        # Failures are not caught.
        "fails": one_state(Resource=work, TimeoutSeconds=3, Parameters={"n.$": "$.n", "may_fail": True}),
        "branches": {"StartAt": "B", "States": {"B": {"Type": "Parallel", "Branches": branches, "ResultSelector": {"n.$": "$[0].n"}, "End": True}}},
        "parent": one_state(Resource=NESTED + ".sync:2", Parameters={"StateMachineArn": child, "Input.$": "$"}, OutputPath="$.Output"),
        "asks": one_state(Resource=NESTED + ".waitForTaskToken", Parameters=asks),
    }
    return work, child, [workflows.create(f"crash-{name}", definition) for name, definition in machines.items()]


class Told:
    """What the server has acknowledged, over all its lives."""

    def __init__(self):
        self.lock = threading.Lock()
        self.starts, self.answers, self.redrives, self.violations, self.count = {}, {}, {}, [], 0

    def next_number(self):
        with self.lock:
            self.count += 1
            return self.count


class Load:
    """Keeps a server busy until it is killed, and remembers what was acknowledged."""

    def __init__(self, machines, activity, told):
        self.machines, self.activity, self.told = machines, activity, told
        self.stopping = threading.Event()

    def starters(self, client, seed):
        random_numbers = random.Random(seed)
        while not self.stopping.is_set():
            number = self.told.next_number()
            try:
                answer = client.start_execution(
                    stateMachineArn=random_numbers.choice(self.machines), name=f"e{seed}-{number}", input=json.dumps({"n": number})
                )
            except Exception:  # The server is being killed: nothing was acknowledged.
                continue
            self.told.starts[answer["executionArn"]] = number

    def workers(self, client, seed):
        random_numbers = random.Random(seed)
        while not self.stopping.is_set():
            try:
                task = client.get_activity_task(activityArn=self.activity)
                if not task.get("taskToken"):
                    continue
                token, given = task["taskToken"], json.loads(task["input"])
                if given.get("may_fail") and random_numbers.random() < 0.4:
                    client.send_task_failure(taskToken=token, error="Bad", cause="luck")
                    continue
                answer = {"n": given["n"], "answer": random_numbers.getrandbits(60)}
                client.send_task_success(taskToken=token, output=json.dumps(answer))
                if self.told.answers.setdefault(given["n"], answer) is not answer:
                    self.told.violations.append(f"two answers were taken for {given}")
                if random_numbers.random() < 0.2:
                    self.send_again(client, token)
            except Exception:
                continue

    def send_again(self, client, token):
        try:
            client.send_task_success(taskToken=token, output='"again"')
        except client.exceptions.TaskTimedOut:
            return
        self.told.violations.append("a token was taken twice")

    def redrivers(self, client, seed):
        """Redrives what has failed, with the same token until it is answered."""
        pending = {}
        while not self.stopping.is_set():
            try:
                for machine in self.machines:
                    for failed in client.list_executions(stateMachineArn=machine, statusFilter="FAILED")["executions"]:
                        arn = failed["executionArn"]
                        token = pending.setdefault(arn, f"redrive-{seed}-{self.told.next_number()}")
                        date = client.redrive_execution(executionArn=arn, clientToken=token)["redriveDate"]
                        self.told.redrives.setdefault((arn, token), date)
                        if self.told.redrives[arn, token] != date:
                            self.told.violations.append(f"{token} stands for two redrives")
                        pending.pop(arn)
                time.sleep(0.02)
            except Exception:
                continue

    def threads(self, new_client, seed, starters):
        work = [(self.starters, n) for n in range(starters)] + [(self.workers, 10), (self.workers, 11), (self.redrivers, 20)]
        return [threading.Thread(target=run, args=(new_client(), seed + n), daemon=True) for run, n in work]


def check_execution(workflows, told, execution, number):
    deadline = time.monotonic() + 120
    # A failed one is redriven.
    while (description := workflows.client.describe_execution(executionArn=execution))["status"] != "SUCCEEDED":
        assert description["status"] in ("RUNNING", "FAILED"), description
        assert time.monotonic() < deadline, f"{execution} does not succeed: {description}"
        time.sleep(0.05)
    output = json.loads(description["output"])
    assert output["n"] == number
    assert told.answers.get(number, output) == output
    history = workflows.history(execution)
    assert_well_formed(history)
    kinds = [event["type"] for event in history]
    assert kinds.count("ExecutionSucceeded") == 1 and kinds[-1] == "ExecutionSucceeded"
    # A result is applied once: every success answers one start, and nothing follows it but the exit.
    assert kinds.count("ActivitySucceeded") <= 1
    assert kinds.count("ActivitySucceeded") + kinds.count("TaskSucceeded") == kinds.count("TaskStateExited")
    redrives = [event["timestamp"] for event in history if event["type"] == "ExecutionRedriven"]
    assert len(redrives) == kinds.count("ExecutionFailed") == description["redriveCount"]
    acknowledged = [date for (arn, _), date in told.redrives.items() if arn == execution]
    assert all(acknowledged.count(date) <= redrives.count(date) for date in acknowledged)


@pytest.mark.timeout(1800)
def test_crashes(new_server):
    """Kills the server at random moments under load; nothing that was acknowledged is lost, doubled or malformed."""
    rounds = int(os.environ.get("STEPWRIGHT_CRASH_ROUNDS", "50"))
    seed = int(os.environ.get("STEPWRIGHT_CRASH_SEED", str(random.randrange(1 << 30))))
    print(f"crash test: {rounds} rounds, seed {seed}")
    random_numbers = random.Random(seed)
    server = new_server()
    activity, child, machines = crash_machines(Workflows(server.client()))
    told = Told()
    for round_number in range(rounds):
        load = Load(machines, activity, told)
        threads = load.threads(server.client, seed + round_number * 100, starters=4)
        for thread in threads:
            thread.start()
        time.sleep(random_numbers.uniform(0.02, 0.35))
        server.kill()
        load.stopping.set()
        for thread in threads:
            thread.join()
        server.start()
    print(f"crash test: {len(told.starts)} executions and {len(told.redrives)} redrives acknowledged")
    # One more life without a crash, in which everything must end.
    load = Load(machines, activity, told)
    for thread in load.threads(server.client, seed - 100, starters=0):
        thread.start()
    workflows = Workflows(server.client())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: check_execution(workflows, told, *item), told.starts.items()))
    load.stopping.set()
    assert told.violations == []
    assert len(told.starts) > rounds, "the load was too small to say anything"
    # Every parent has one child, and no child was forgotten.
    parents = sum(":crash-parent:" in arn for arn in told.starts)
    pages = workflows.client.get_paginator("list_executions").paginate(stateMachineArn=child)
    children = [item["status"] for page in pages for item in page["executions"]]
    assert set(children) <= {"SUCCEEDED"} and len(children) >= parents
