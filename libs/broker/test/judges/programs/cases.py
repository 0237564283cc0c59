"""Runs cases and prints what became of each, as program-judge.ts reads it."""
import os
import sys
import threading
import uuid

CASE_TIMEOUT_S = 45
_cases = []


def case(title):
    def register(check):
        _cases.append((title, check))
        return check

    return register


def same(got, expected):
    if got != expected:
        raise AssertionError(f"expected {expected!r}, got {got!r}")


def new_topic():
    return f"python-{uuid.uuid4().hex[:12]}"


def main():
    bootstrap = sys.argv[1]
    for title, check in _cases:
        print("begun", title, sep="\t", flush=True)
        outcome = []

        def run():
            try:
                check(bootstrap)
                outcome.append(("passed", title))
            except BaseException as error:  # whatever a client throws is its verdict
                outcome.append(("failed", title, f"{type(error).__name__}: {error}".replace("\n", " ")[:300]))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(CASE_TIMEOUT_S)
        verdict = outcome[0] if outcome else ("failed", title, f"no end in {CASE_TIMEOUT_S} s")
        print(*verdict, sep="\t", flush=True)
    # Clients that hang may keep threads.
    os._exit(0)
