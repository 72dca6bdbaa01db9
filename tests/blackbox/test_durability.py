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


class Load:
    """Keeps a server busy until it is killed, and remembers what was acknowledged."""

    def __init__(self, server, machines, activity):
        self.server, self.machines, self.activity = server, machines, activity
        self.acknowledged, self.results = {}, {}
        self.lock, self.stopping, self.count = threading.Lock(), threading.Event(), 0

    def starters(self, client, seed):
        random_numbers = random.Random(seed)
        while not self.stopping.is_set():
            machine = random_numbers.choice(self.machines)
            with self.lock:
                self.count += 1
                number = self.count
            try:
                answer = client.start_execution(
                    stateMachineArn=machine, name=f"e{seed}-{number}", input=json.dumps({"n": number})
                )
            except Exception:  # The server is being killed: nothing was acknowledged.
                continue
            with self.lock:
                self.acknowledged[answer["executionArn"]] = number

    def workers(self, client):
        while not self.stopping.is_set():
            try:
                task = client.get_activity_task(activityArn=self.activity)
                if task.get("taskToken"):
                    number = json.loads(task["input"])["n"]
                    client.send_task_success(taskToken=task["taskToken"], output=json.dumps({"n": number, "by": "worker"}))
            except Exception:
                continue


@pytest.mark.timeout(1800)
def test_crashes(new_server):
    """Kills the server at random moments under load; nothing that was acknowledged is lost, doubled or malformed."""
    rounds = int(os.environ.get("STEPWRIGHT_CRASH_ROUNDS", "50"))
    seed = int(os.environ.get("STEPWRIGHT_CRASH_SEED", str(random.randrange(1 << 30))))
    print(f"crash test: {rounds} rounds, seed {seed}")
    random_numbers = random.Random(seed)
    server = new_server()
    workflows = Workflows(server.client())
    activity = workflows.client.create_activity(name="crash-work")["activityArn"]
    machines = [
        workflows.create("crash-passes", pass_machine(5)),
        workflows.create("crash-waits", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "P"}, "P": {"Type": "Pass", "End": True}}}),
        workflows.create(
            "crash-works",
            {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "TimeoutSeconds": 3, "Retry": [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 100, "BackoffRate": 1.0}], "End": True}}},
        ),
        workflows.create(
            "crash-branches",
            {"StartAt": "B", "States": {"B": {"Type": "Parallel", "Branches": [pass_machine(2), {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}], "ResultSelector": {"n.$": "$[0].n"}, "End": True}}},
        ),
    ]
    acknowledged = {}
    for round_number in range(rounds):
        load = Load(server, machines, activity)
        threads = [threading.Thread(target=load.starters, args=(server.client(), seed + round_number * 100 + n)) for n in range(4)]
        threads += [threading.Thread(target=load.workers, args=(server.client(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(random_numbers.uniform(0.02, 0.35))
        server.kill()
        load.stopping.set()
        for thread in threads:
            thread.join()
        acknowledged.update(load.acknowledged)
        server.start()
    print(f"crash test: {len(acknowledged)} executions acknowledged")
    # One more life without a crash, in which everything must end.
    load = Load(server, machines, activity)
    load.stopping.clear()
    finishers = [threading.Thread(target=load.workers, args=(server.client(),), daemon=True) for _ in range(4)]
    for thread in finishers:
        thread.start()

    def check(item):
        execution, number = item
        description = workflows.wait(execution, limit_s=120)
        assert description["status"] == "SUCCEEDED", description
        assert json.loads(description["output"])["n"] == number
        history = workflows.history(execution)
        assert_well_formed(history)
        kinds = [event["type"] for event in history]
        assert kinds.count("ExecutionSucceeded") == 1 and kinds[-1] == "ExecutionSucceeded"
        # A result is applied once: every success answers one start, and nothing follows it but the exit.
        assert kinds.count("ActivitySucceeded") <= 1
        assert kinds.count("ActivitySucceeded") == kinds.count("TaskStateExited")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(check, acknowledged.items()))
    load.stopping.set()
    assert len(acknowledged) > rounds, "the load was too small to say anything"
