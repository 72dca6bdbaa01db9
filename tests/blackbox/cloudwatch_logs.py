"""A small CloudWatch Logs that stands outside: enough of its API for a server that writes to it."""

import http.server
import json
import threading
import time


def record(message):
    """What is logged of executions is JSON; what functions print is text."""
    return json.loads(message) if message.startswith("{") else message


class CloudWatchLogs:
    def __init__(self, groups=()):
        self.groups = {name: {} for name in groups}
        self.failures, self.requests, self.delay_s = [], [], 0
        logs = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].removeprefix("Logs_20140328.")
                logs.requests.append((operation, dict(self.headers), body))
                time.sleep(logs.delay_s)
                status, answer = logs.answer(operation, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, operation, body):
        if operation == "PutLogEvents" and self.failures:
            return self.failures.pop(0)
        if operation == "DescribeLogGroups":
            prefix = body["logGroupNamePrefix"]
            return 200, {"logGroups": [{"logGroupName": name} for name in self.groups if name.startswith(prefix)]}
        if operation == "CreateLogGroup":
            self.groups.setdefault(body["logGroupName"], {})
            return 200, {}
        streams = self.groups.get(body["logGroupName"])
        if streams is None:
            return 400, {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
        stream = body["logStreamName"]
        if operation == "CreateLogStream":
            streams.setdefault(stream, [])
            return 200, {}
        if stream not in streams:
            return 400, {"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."}
        events = body["logEvents"]
        assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
        streams[stream] += [record(event["message"]) for event in events]
        return 200, {}

    def records(self, group):
        return [record for records in self.groups.get(group, {}).values() for record in records]

    def wait(self, group, count, limit_s=15):
        deadline = time.monotonic() + limit_s
        while len(self.records(group)) < count:
            assert time.monotonic() < deadline, (self.records(group), self.requests[-3:])
            time.sleep(0.01)
        return self.records(group)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
