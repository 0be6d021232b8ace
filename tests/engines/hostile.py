"""A server on loopback that misbehaves as it is told: one word per request, and then it behaves.

It answers a prompt with the same words in reverse, and knows no log-probabilities.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hostile:
    """faults: what becomes of the next requests for a completion; always: of every one once those are used up."""

    faults: list[str] = field(default_factory=list)
    always: str = "answer"
    retry_after: str | None = None
    slow_seconds: float = 5.0
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def next(self, asked: dict[str, Any], key: str | None) -> str:
        """What becomes of this request."""
        with self.lock:
            self.asked.append(asked)
            self.keys.add(key)
            return self.faults.pop(0) if self.faults else self.always


@contextmanager
def hostile(*faults: str, **settings: Any) -> Iterator[Hostile]:
    """The server in a thread of this process, until the block ends."""
    state = Hostile(list(faults), **settings)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = {"data": [{"id": "words"}]} if self.path == "/v1/models" else None
            self._send(200 if found else 404, json.dumps(found).encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers.get("Authorization")
            if "logprobs" in asked:
                self._send(400, b'{"error": "no log-probabilities"}')
                return
            fault = state.next(asked, key)
            whole = json.dumps(answer_to(asked)).encode()
            if fault == "answer":
                self._send(200, whole)
            elif fault == "template":
                more = {**asked, "prompt": asked["prompt"] * 40}
                self._send(200, json.dumps(answer_to({**more, "max_tokens": 1000})).encode())
            elif fault == "drop":
                self.close_connection = True
            elif fault == "half":
                self._send(200, whole[: len(whole) // 2], promised=len(whole))
                self.close_connection = True
            elif fault == "half line":
                self._send(200, whole[: len(whole) // 2])
            elif fault == "slow":
                state.ended.wait(state.slow_seconds)
                self.close_connection = True
            elif fault == "drip":
                self.send_response(200)
                self.send_header("Content-Length", str(len(whole)))
                self.end_headers()
                until = time.monotonic() + state.slow_seconds
                while time.monotonic() < until and not state.ended.wait(0.05):
                    self.wfile.write(b" ")
                self.close_connection = True
            elif fault in ("nonsense", "no choices", "no text"):
                bodies = {"nonsense": b"<html>hello</html>", "no choices": b'{"ok": true}',
                          "no text": b'{"choices": [{"message": 1}]}'}  # fmt: skip
                self._send(200, bodies[fault])
            else:
                self._send(int(fault), f"sorry, {key}".encode())

        def _send(self, status: int, body: bytes, promised: int | None = None) -> None:
            self.send_response(status)
            if state.retry_after is not None and status == 429:
                self.send_header("Retry-After", state.retry_after)
            self.send_header("Content-Length", str(len(body) if promised is None else promised))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has gone away is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def answer_to(asked: dict[str, Any]) -> dict[str, Any]:
    """The body that a well-behaved server sends."""
    words = asked["prompt"].split()[::-1][: asked["max_tokens"]]
    choice = {"index": 0, "text": " ".join(words), "finish_reason": "stop"}
    return {"choices": [choice], "usage": {"prompt_tokens": len(words), "completion_tokens": len(words) + 1}}
