"""Answers cases as a relative of dashjoin's jsonata-java does: the PyPI package jsonata-rs.

    python java.py < cases > answers

The lines are those of examples/answer.rs.
"""

import json
import multiprocessing
import sys

import jsonata


def plain(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [None if item is jsonata.UNDEFINED else plain(item) for item in value]
    return "(function)"


def answer(line):
    case = json.loads(line)
    try:
        expression = jsonata.Jsonata(case["expr"])
        expression.set_output_convert_nulls(False)
        expression.set_runtime_bounds(3000, 200)
        value = expression.evaluate(case.get("data"), case.get("bindings") or None)
        found = {"undefined": True} if value is jsonata.UNDEFINED else {"value": plain(value)}
        return json.dumps(found, allow_nan=True)
    except BaseException as error:  # a panic of Rust is one
        return json.dumps({"code": getattr(error, "code", None) or "", "message": str(error)[:300]})


if __name__ == "__main__":
    with multiprocessing.Pool(8) as pool:
        for text in pool.imap(answer, sys.stdin, 64):
            print(text)
