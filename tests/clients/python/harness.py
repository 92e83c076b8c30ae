"""Runs named cases and prints one `CASE` line for each; knows nothing of Kafka.

Every case runs under its own time limit and the whole program under another, so that a dead
broker costs a failed line and never a hang.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

CASE_LIMIT_SECONDS = 40.0
PROGRAM_LIMIT_SECONDS = 400.0
REASON_CHARS_MAX = 300


class Skip(Exception):
    """The client has no such feature; the text says which."""


def check(condition: bool, promise: str) -> None:
    """Fails the case, saying which promise was broken."""
    if not condition:
        raise AssertionError(promise)


def check_equal(found: object, wanted: object, what: str) -> None:
    """Like `check`, and shows both sides."""
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r:.120}, wanted {wanted!r:.120}")


def wait_until(condition: Callable[[], bool], what: str, limit_seconds: float = 20.0) -> None:
    """Polls `condition` until it holds; fails the case after the limit."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_seconds:.0f} s in vain: {what}")
        time.sleep(0.02)


class Report:
    """Prints the lines that the driver reads, and remembers whether one failed."""

    def __init__(self, client: str, version: str) -> None:
        self.failed = False
        self._started = time.monotonic()
        print(f"VERSION {client} {version}", flush=True)

    def run(self, name: str, case: Callable[[], None]) -> None:
        """Runs one case in a thread of its own and reports how it ended."""
        outcome: list[tuple[str, str]] = []
        thread = threading.Thread(target=lambda: outcome.append(_attempt(case)), daemon=True)
        left = PROGRAM_LIMIT_SECONDS - (time.monotonic() - self._started)
        if left <= 0:
            self._print(name, "fail", "the program's time is used up")
            return
        began = time.monotonic()
        thread.start()
        thread.join(min(CASE_LIMIT_SECONDS, left))
        status, reason = outcome[0] if outcome else ("fail", "time limit")
        print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
        self._print(name, status, reason)

    def finish(self) -> None:
        """Ends the process at once: threads of timed-out cases must not keep it alive."""
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if self.failed else 0)

    def _print(self, name: str, status: str, reason: str) -> None:
        self.failed = self.failed or status == "fail"
        one_line = " ".join(reason.split())[:REASON_CHARS_MAX]
        print(f"CASE {name} {status} {one_line}".rstrip(), flush=True)


def _attempt(case: Callable[[], None]) -> tuple[str, str]:
    try:
        case()
    except Skip as why:
        return "skip", str(why)
    except Exception as error:  # whatever a client throws is this case's failure
        traceback.print_exc()
        return "fail", f"{type(error).__name__}: {error}"
    return "ok", ""
