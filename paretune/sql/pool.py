"""A pool of worker processes that may be killed at any time without harm to any request but the guilty one."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paretune
from paretune.errors import ScoringError
from paretune.sql.worker import SECONDS_OF_GRACE, SECONDS_TO_COMPARE, SECONDS_TO_PREPARE

Request = dict[str, Any]
Answer = dict[str, Any]
_LONGEST_WAIT = 3600.0  # seconds; select refuses what its clock cannot count
_MOST_ATTEMPTS = 2  # a worker may be lost for a reason of its own once; twice on one request is the request


class WorkerPool:
    """Runs requests (see worker.py) in `count` processes; use as a context manager.

    Workers are started afresh by the interpreter, never forked, so that nothing of this process (torch, its memory,
    its locks) is in them. `killed` counts the workers that had to be replaced.
    """

    def __init__(self, count: int, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._count = count
        self.killed = 0

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self._workers):
            self._remove(worker)
        self._selector.close()

    def start(self) -> None:
        """Start every worker now, so that it is ready to explain predictions when the first one is read."""
        while len(self._workers) < self._count:
            self._add().load()

    def run(self, requests: Sequence[Request], on_answer: Callable[[int, Answer], None]) -> None:
        """Answer every request; on_answer(position, answer) is called as answers come, in no fixed order.

        An answer has "status": that of the execution, or "timeout" when the process was killed at its deadline,
        "crashed" when the query ended the process twice, "failed" when the worker was lost otherwise.
        """
        waiting = deque((position, 1) for position in range(len(requests)))
        unanswered = len(requests)
        answered: list[tuple[int, Answer]] = []
        while unanswered:
            while waiting and (worker := self._idle()) is not None:
                position, attempt = waiting.popleft()
                worker.start(position, attempt, requests[position])
            for place, reply in answered:  # now that every worker is busy again
                on_answer(place, reply)
            answered.clear()
            for worker in self._ready():
                answer = worker.receive()
                if answer is None and not worker.over:
                    continue
                position, attempt = worker.position, worker.attempt
                if answer is None:
                    self._remove(worker)
                    self.killed += 1
                    answer = worker.last_words()
                    if answer["status"] != "timeout" and attempt < _MOST_ATTEMPTS:
                        waiting.appendleft((position, attempt + 1))
                        continue
                unanswered -= 1
                answered.append((position, answer))
        for place, reply in answered:
            on_answer(place, reply)

    def _idle(self) -> _Worker | None:
        """A worker without work, started if there may be one more."""
        for worker in self._workers:
            if not worker.busy:
                return worker
        return self._add() if len(self._workers) < self._count else None

    def _add(self) -> _Worker:
        worker = _Worker(self._memory_bytes)
        self._workers.append(worker)
        self._selector.register(worker.output, selectors.EVENT_READ, worker)
        return worker

    def _ready(self) -> list[_Worker]:
        """Busy workers that have said something, ended, or passed their deadline."""
        busy = [worker for worker in self._workers if worker.busy]
        patience = min(worker.deadline for worker in busy) - time.monotonic()
        patience = max(0.0, min(patience, _LONGEST_WAIT))
        spoken = {key.fd for key, _ in self._selector.select(patience)}
        now = time.monotonic()
        for worker in busy:
            if worker.output not in spoken and now >= worker.deadline:
                worker.kill()
        return [worker for worker in busy if worker.output in spoken or worker.over]

    def _remove(self, worker: _Worker) -> None:
        self._selector.unregister(worker.output)
        self._workers.remove(worker)
        worker.close()


class _Worker:
    """One process and what it is doing."""

    def __init__(self, memory_bytes: int) -> None:
        environment = dict(os.environ, PYTHONUTF8="1")
        root = str(Path(paretune.__file__).resolve().parents[1])
        environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [environment.get("PYTHONPATH")])])
        command = [sys.executable, "-m", "paretune.sql.worker", str(memory_bytes)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
        except OSError as error:
            raise ScoringError(f"no worker process can be started ({error.strerror}); lower --workers") from error
        assert self._process.stdout is not None
        self.output = self._process.stdout.fileno()
        self._heard = b""
        self._limit_seconds = 0.0
        self.stage = "idle"
        self._so_far: Answer | None = None
        self.position = self.attempt = 0
        self.deadline = 0.0
        self.over = self._killed = False

    @property
    def busy(self) -> bool:
        return self.stage != "idle"

    def start(self, position: int, attempt: int, request: Request) -> None:
        """Hand the worker a request."""
        self.position, self.attempt, self.stage = position, attempt, "prepare"
        self._limit_seconds = request["limits"]["seconds"]
        self.deadline = time.monotonic() + SECONDS_TO_PREPARE
        self._send(request)

    def load(self) -> None:
        """Have the worker load what it will need; it answers nothing."""
        self._send({"task": "load"})

    def _send(self, request: Request) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.over = True

    def receive(self) -> Answer | None:
        """What the worker has said: an answer, or None with `stage` and `deadline` moved on or `over` set."""
        if self.over:
            return None
        heard = os.read(self.output, 1 << 16)
        if not heard:
            self.over = True
            return None
        *lines, self._heard = (self._heard + heard).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "answer" in message:
                self.stage = "idle"
                answer: Answer = message["answer"]
                return answer
            self.stage = message["stage"]
            self._so_far = message.get("so_far")
            allowed = self._limit_seconds + SECONDS_OF_GRACE if self.stage == "execute" else SECONDS_TO_COMPARE
            self.deadline = time.monotonic() + allowed
        return None

    def last_words(self) -> Answer:
        """The answer for a worker that ended before it gave one."""
        code = self._process.returncode
        answer: Answer = {"match": False, "both_empty": False, "seconds": 0.0}
        if self.stage == "diagnose" and self._so_far is not None:  # the verdict is known, its explanation is not
            return self._so_far
        alarm = code == -signal.SIGALRM
        if (self._killed or alarm) and self.stage == "execute":
            spent = self._limit_seconds + SECONDS_OF_GRACE
            return answer | {
                "status": "timeout",
                "error": "SQLite did not return; its process was ended",
                "seconds": spent,
            }
        if self._killed and self.stage == "compare":
            return answer | {"status": "timeout", "error": "the results could not be compared in time"}
        if self.stage == "execute":
            return answer | {"status": "crashed", "error": f"the query ended SQLite's process (exit {code}), twice"}
        return answer | {"status": "failed", "error": f"a worker process was lost twice (exit {code})"}

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self.over = self._killed = True

    def close(self) -> None:
        """End the process and its pipes."""
        if self._process.poll() is None:
            if self.over:  # it closed its output or input: it is ending
                try:
                    self._process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    self._process.kill()
            else:
                self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
