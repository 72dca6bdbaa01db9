"""Runs a Python function: asks the Lambda Runtime API for events, calls the handler, reports what it answered.

Started by the server with the function's code directory as working directory.
"""
import decimal
import http.client
import importlib
import json
import logging
import os
import re
import sys
import time
import traceback
import types
import uuid

API = "/2018-06-01/runtime"
# The invocation that runs, for the lines of `logging`.
current_request_id = ""


class RuntimeApi:
    """One kept connection to the server."""

    def __init__(self, address):
        host, _, prefix = address.partition("/")
        self.connection = http.client.HTTPConnection(host, timeout=None)
        self.base = ("/" + prefix if prefix else "") + API

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, self.base + path, body, headers or {})
        response = self.connection.getresponse()
        return response, response.read()

    def next(self):
        response, event = self.ask("GET", "/invocation/next")
        if response.status != 200:
            raise ConnectionError(f"the runtime API answered {response.status}")
        return response.headers, event

    def answer(self, request_id, body):
        self.ask("POST", f"/invocation/{request_id}/response", body, {"Content-Type": "application/json"})

    def error(self, path, error):
        body = json.dumps(error).encode()
        headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": error["errorType"]}
        self.ask("POST", path, body, headers)


class Context:
    """What Lambda tells a function about an invocation."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn", "")
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = types.SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = None
        given = headers.get("Lambda-Runtime-Client-Context")
        if given:
            given = json.loads(given)
            client = types.SimpleNamespace(**given.get("client", {}))
            self.client_context = types.SimpleNamespace(custom=given.get("custom"), env=given.get("env"), client=client)

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


# Stands for a decimal in the text until it is written digit for digit: `json` has no way to do so by itself.
DECIMAL_MARK = f"decimal {uuid.uuid4().hex} "


def to_json(value):
    has_decimals = False

    def other(item):
        nonlocal has_decimals
        if isinstance(item, decimal.Decimal):
            if not item.is_finite():
                raise ValueError("Out of range float values are not JSON compliant")
            has_decimals = True
            return DECIMAL_MARK + str(item)
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")

    text = json.dumps(value, default=other, allow_nan=False, ensure_ascii=False)
    if has_decimals:
        text = re.sub(f'"{DECIMAL_MARK}([^"]*)"', r"\1", text)
    return text.encode()


def described(kind, message, request_id, frames=()):
    return {
        "errorMessage": message,
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": traceback.format_list(list(frames)),
    }


def described_exception(error, request_id):
    """The frames begin with the handler's: ours comes first in the trace and is left out."""
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    return described(type(error).__name__, str(error), request_id, frames[1:])


class InitError(Exception):
    def __init__(self, kind, message, frames=()):
        super().__init__(message)
        self.kind, self.frames = kind, frames


def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from error
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        frames = [(error.filename, error.lineno, "<module>", (error.text or "").strip())]
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", frames) from error
    except Exception as error:
        frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
        own = [f for f in frames if not f[0].startswith("<frozen") and f[0] != "<string>" and "importlib" not in f[0]]
        raise InitError(type(error).__name__, str(error), own) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'") from error


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass


def print_message(text):
    """One message is one line: line feeds within it become carriage returns, which the server turns back."""
    sys.stdout.write(text.rstrip("\n").replace("\n", "\r") + "\n")


def print_error(error):
    head = f"[ERROR] {error['errorType']}: {error['errorMessage']}\nTraceback (most recent call last):\n"
    print_message(head + "".join(error["stackTrace"]))


class LogHandler(logging.Handler):
    """Writes the lines of `logging` as Lambda does. With a handler there, `basicConfig` changes nothing, also as there."""

    def emit(self, record):
        try:
            when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            head = f"[{record.levelname}]\t{when}.{int(record.msecs):03}Z\t{current_request_id}\t"
            print_message(head + self.format(record))
        except Exception:
            self.handleError(record)


def handle(api, handler, headers, event):
    global current_request_id
    request_id = current_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
    failure, body = None, b"null"
    try:
        result = handler(json.loads(event), Context(headers))
    except Exception as error:
        failure = described_exception(error, request_id)
    else:
        try:
            body = to_json(result)
        except Exception as error:
            message = f"Unable to marshal response: {error}"
            failure = described("Runtime.MarshalError", message, request_id)
    if failure is not None:
        print_error(failure)
    flush()
    if failure is None:
        api.answer(request_id, body)
    else:
        api.error(f"/invocation/{request_id}/error", failure)


def main():
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    # Line by line, so that what goes to standard error between two lines stays between them.
    sys.stdout.reconfigure(line_buffering=True)
    logging.getLogger().addHandler(LogHandler())
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except InitError as error:
        failure = described(error.kind, str(error), "", error.frames)
        print_error(failure)
        flush()
        api.error("/init/error", failure)
        sys.exit(1)
    flush()
    while True:
        try:
            headers, event = api.next()
        except (OSError, http.client.HTTPException):
            return  # the server has gone
        handle(api, handler, headers, event)


main()
