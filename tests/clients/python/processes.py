"""Runs command line clients: once with a time limit, or in the background line by line."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import IO

from stock_client import CALL_LIMIT_SECONDS


def run(command: Sequence[str], stdin: bytes = b"", partial: bool = False) -> bytes:
    """Runs a command to its end and returns its output.

    With `partial`, a command that outlives the limit is ended and what it wrote is returned:
    readers that wait for records which never come are judged by what they read.
    """
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=CALL_LIMIT_SECONDS)
    except subprocess.TimeoutExpired as late:
        if partial:
            return late.stdout or b""
        raise
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace")[-400:]
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {said}")
    return done.stdout


class Background:
    """A command that runs until it is told to stop; each line it writes goes to a callback."""

    def __init__(self, command: Sequence[str], on_line: Callable[[bytes], None]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._readers = [
            threading.Thread(target=self._read, args=(pipe, on_line), daemon=True)
            for pipe in (self._process.stdout, self._process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(pipe: IO[bytes], on_line: Callable[[bytes], None]) -> None:
        for line in pipe:
            on_line(line.rstrip(b"\n"))

    def stop(self) -> None:
        """Asks politely (so that the client commits and leaves its group), then kills."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(CALL_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        for reader in self._readers:
            reader.join(CALL_LIMIT_SECONDS)
