"""Asking an HTTP server many things at once: retries with back-off, time limits, and what is done kept.

Nothing here knows what is asked. The key comes from the environment alone and stands in no message.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from paretune.errors import EngineError, ParetuneError

if TYPE_CHECKING:
    import httpx

KEY_VARIABLE = "PARETUNE_API_KEY"
LONGEST_PAUSE_SECONDS = 60.0  # of our own
LONGEST_WAIT_SECONDS = 900.0  # that a server may ask for
LARGEST_REPLY_BYTES = 64 * 2**20
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
_RETRIES_OF_A_QUESTION = 2  # about the server itself: it may be that it cannot say
_LONGEST_REASON = 200  # characters of what a server says

T = TypeVar("T")
R = TypeVar("R")


class RefusedError(EngineError):
    """The server understood that it will not answer such a request; asking again changes nothing. status: its code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Server:
    """Where is asked and how patiently.

    url: with the version's path, without a key. concurrency: requests at once. limit_seconds: for one request, from
    sending it to its last byte. retries: further attempts at a request that failed. pause_seconds: before the first of
    them; twice as long before each further one.
    """

    url: str
    concurrency: int = 16
    limit_seconds: float = 300.0
    retries: int = 5
    pause_seconds: float = 1.0


def each(
    server: Server,
    items: Iterable[T],
    ask: Callable[[Connection, T], Awaitable[R]],
    tell: Callable[[T, R], None],
) -> None:
    """Ask for every item, `server.concurrency` at once; tell(item, answer) as they come, in any order.

    What was answered when one item fails is told before its error is raised, with what others were in the middle of.
    """
    _run(_each(server, items, ask, tell))


def get(server: Server, path: str, *, root: bool = False) -> Any:
    """What a server says of itself at an address that not every one has; None where it answers with an error.

    root: beside the version's path. Raises EngineError where no server answers, or the key is refused.
    """

    async def ask() -> Any:
        async with Connection(server) as connection:
            base = server.url.removesuffix("/v1") if root else server.url
            try:
                return await connection.get(base + path)
            except RefusedError as error:
                if error.status in (401, 403) and not root:
                    raise
                return None

    return _run(ask())


def post(server: Server, path: str, body: Mapping[str, Any], read: Callable[[Any], R]) -> R:
    """What `read` makes of the JSON that the server answers (see Connection.post). Raises EngineError, RefusedError
    where the server will not answer."""

    async def ask() -> R:
        async with Connection(server) as connection:
            return await connection.post(path, body, read)

    return _run(ask())


class Connection:
    """An open client of one server. `impatient`: a request that fails from now on is not tried again."""

    def __init__(self, server: Server) -> None:
        import httpx

        self.impatient = False
        self._server = server
        self._key = os.environ.get(KEY_VARIABLE, "").strip()
        self._not_before = 0.0
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        limits = httpx.Limits(max_connections=server.concurrency, max_keepalive_connections=server.concurrency)
        self._client = httpx.AsyncClient(headers=headers, limits=limits, timeout=None)

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, url: str) -> Any:
        """The JSON at an address. Raises RefusedError for every status that says no, after few attempts."""
        return await self._patiently("GET", url, None, lambda found: found)

    async def post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], R]) -> R:
        """What `read` makes of the JSON; where that raises ValueError, the answer is nonsense and asked for again."""
        return await self._patiently("POST", self._server.url + path, body, read)

    async def _patiently(self, method: str, url: str, body: Mapping[str, Any] | None, read: Callable[[Any], R]) -> R:
        import httpx

        reason, pause, attempts, refusal = "", self._server.pause_seconds, 0, None
        retries = self._server.retries if body is not None else min(self._server.retries, _RETRIES_OF_A_QUESTION)
        while not attempts or (attempts <= retries and not self.impatient):
            await self._wait()
            attempts, refusal = attempts + 1, None
            try:
                async with asyncio.timeout(self._server.limit_seconds):
                    status, headers, raw = await self._once(method, url, body)
            except TimeoutError:
                reason = f"no answer within limit_seconds = {self._server.limit_seconds:g}"
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
            else:
                if 200 <= status < 300:
                    try:
                        return read(json.loads(raw))
                    except json.JSONDecodeError:
                        reason = f"its answer is no JSON, or half of one: {self._quoted(raw)!r}"
                    except ValueError as error:
                        reason = f"{error}: {self._quoted(raw)!r}"
                elif status in _WORTH_ANOTHER_TRY:
                    reason = f"it answers {status}: {self._quoted(raw)}"
                    wanted = seconds_asked_for(headers.get("retry-after"))
                    if wanted > LONGEST_WAIT_SECONDS:
                        raise EngineError(f"{url}: it answers {status} and asks to wait {wanted:.0f} s; what is "
                                          "answered is kept: give the same command again then")  # fmt: skip
                    self._put_off(wanted)
                    refusal = status
                else:
                    raise RefusedError(self._refusal(url, status, raw), status)
            self._put_off(min(pause, LONGEST_PAUSE_SECONDS))
            pause *= 2
        if refusal is not None and body is None:
            raise RefusedError(f"{url}: {self._safe(reason)}", refusal)
        raise EngineError(
            f"{url}: no usable answer in {attempts} attempts ({self._safe(reason)}); what is answered is kept: see to "
            "the server and give the same command again, it goes on from there"
        )

    async def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> tuple[int, httpx.Headers, bytes]:
        async with self._client.stream(method, url, json=body) as response:
            raw = bytearray()
            async for part in response.aiter_bytes():
                raw += part
                if len(raw) > LARGEST_REPLY_BYTES:
                    raise EngineError(f"{url}: an answer of more than {LARGEST_REPLY_BYTES >> 20} MiB; is this the "
                                      "server of a language model?")  # fmt: skip
            return response.status_code, response.headers, bytes(raw)

    def _put_off(self, seconds: float) -> None:
        """No request of this connection is sent before then: a server that asks for rest gets it."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    async def _wait(self) -> None:
        while (left := self._not_before - time.monotonic()) > 0 and not self.impatient:
            await asyncio.sleep(min(left, 0.5))

    def _refusal(self, url: str, status: int, raw: bytes) -> str:
        said = self._quoted(raw)
        if status in (401, 403):
            state = "is refused" if self._key else "is not set"
            return f"{url}: it answers {status} ({said}); {KEY_VARIABLE} {state}: set the server's key there"
        if 300 <= status < 400:
            return f"{url}: it answers {status}, the address has moved; give the new one as engine.url"
        return f"{url}: it answers {status} ({said})"

    def _quoted(self, raw: bytes) -> str:
        """What a server says, on one line, short, and without the key."""
        return self._safe(" ".join(raw.decode(errors="replace").split())[:_LONGEST_REASON])

    def _safe(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def seconds_asked_for(header: str | None, now: float | None = None) -> float:
    """What a Retry-After header asks for (RFC 9110, 10.2.3): seconds, or a date; 0 for none or nonsense.

    >>> seconds_asked_for("7"), seconds_asked_for("soon"), seconds_asked_for(None)
    (7.0, 0.0, 0.0)
    """
    text = (header or "").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now))
    except (ValueError, TypeError):
        return 0.0


async def _each(
    server: Server,
    items: Iterable[T],
    ask: Callable[[Connection, T], Awaitable[R]],
    tell: Callable[[T, R], None],
) -> None:
    waiting = iter(items)
    running: dict[asyncio.Task[R], T] = {}
    failure: ParetuneError | None = None
    async with Connection(server) as connection:
        try:
            while True:
                while failure is None and len(running) < server.concurrency:
                    try:
                        item = next(waiting)
                    except StopIteration:
                        break
                    running[asyncio.ensure_future(ask(connection, item))] = item
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    item = running.pop(task)
                    error = task.exception()
                    if error is None:
                        tell(item, task.result())
                    elif isinstance(error, ParetuneError):
                        failure, connection.impatient = failure or error, True
                    else:
                        raise error
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    if failure is not None:
        raise failure


def _run(work: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine, also where a loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
