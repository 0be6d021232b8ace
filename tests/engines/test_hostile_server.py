"""What becomes of a run whose server misbehaves: it waits, tries again, and stops with what is done kept."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pytest

from paretune.engines import http
from paretune.engines.base import Generation
from paretune.engines.server import ServerEngine
from paretune.errors import EngineError
from tests.engines.contract import answers_of
from tests.engines.hostile import hostile
from tests.engines.test_server import server_engine

PROMPTS = tuple(f"question {number} of many" for number in range(12))
FAULTS = ("429", "500", "502", "503", "drop", "half", "half line", "nonsense", "no choices", "no text")


@pytest.fixture(scope="module")
def usual() -> list[Generation]:
    """What a server answers that behaves."""
    with hostile() as server:
        return answers_of(server_engine(server.url), PROMPTS, 8)


def kept(engine: ServerEngine) -> tuple[dict[int, Generation], EngineError]:
    """The answers handed on before the engine stopped, and why it did."""
    found: dict[int, Generation] = {}
    with pytest.raises(EngineError) as caught:
        engine.generate(PROMPTS, 8, found.__setitem__)
    return found, caught.value


@pytest.mark.parametrize("fault", FAULTS)
def test_request_that_fails_twice_is_asked_again(fault: str, usual: list[Generation]) -> None:
    with hostile(fault, "answer", fault) as server:
        assert answers_of(server_engine(server.url, concurrency=3), PROMPTS, 8) == usual
        assert len(server.asked) == len(PROMPTS) + 2


def test_server_with_a_template_of_its_own_is_refused() -> None:
    with hostile(always="template") as server:
        _, error = kept(server_engine(server.url))
    assert re.search(r"prompt \d+: .* reports \d+ tokens read, the prompt has \d+: it puts prompts into a template",
                     str(error))  # fmt: skip


def test_server_that_reads_less_than_the_prompt_is_told_of_once() -> None:
    told: list[str] = []
    with hostile() as server:
        engine = server_engine(server.url, say=told.append)
        answers_of(engine, ["a question of many words " * 20] * 3, 8)
    assert len(told) == 1
    assert "it cuts prompts" in told[0]


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_request_that_takes_too_long_is_asked_again(fault: str, usual: list[Generation]) -> None:
    with hostile(fault) as server:
        engine = server_engine(server.url, concurrency=2, limit_seconds=2.0)
        assert answers_of(engine, PROMPTS, 8) == usual


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("500", "it answers 500: sorry"),
        ("429", "it answers 429: sorry"),
        ("half line", "its answer is no JSON, or half of one"),
        ("nonsense", "its answer is no JSON, or half of one: '<html>hello"),
        ("no choices", "its answer holds no choices"),
        ("slow", r"no answer within limit_seconds = 2"),
    ],
)
def test_server_that_never_recovers_stops_the_run_with_what_is_done_kept(
    fault: str, reason: str, usual: list[Generation]
) -> None:
    with hostile(*["answer"] * 5, always=fault) as server:
        limit = 2.0 if fault == "slow" else 60.0  # where slowness is no fault, a loaded machine has its time
        engine = server_engine(server.url, concurrency=2, retries=1, limit_seconds=limit)
        found, error = kept(engine)
        assert re.search(rf"no usable answer in [12] attempts \({reason}.*is kept.*same command again", str(error))
        assert found == {place: usual[place] for place in found}
        assert len(found) == 5
        server.always = "answer"
        rest: dict[int, Generation] = {}
        engine.generate(PROMPTS, 8, rest.__setitem__, answered=set(found))
        assert rest.keys() == set(range(len(PROMPTS))) - found.keys()
        assert [{**found, **rest}[place] for place in range(len(PROMPTS))] == usual


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("400", "it answers 400 (sorry, Bearer ***)"),
        ("401", "PARETUNE_API_KEY is refused"),
        ("404", "it answers 404"),
        ("307", "the address has moved; give the new one as engine.url"),
    ],
)
def test_refusal_is_told_at_once_and_without_the_key(
    status: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_API_KEY", "very-secret")
    with hostile(always=status) as server:
        _, error = kept(server_engine(server.url, concurrency=1))
        assert len(server.asked) == 1
        assert server.keys == {"Bearer very-secret"}
    assert expected in str(error)
    assert "very-secret" not in str(error)


def test_key_that_is_missing_is_asked_for() -> None:
    with hostile(always="401") as server:
        assert "PARETUNE_API_KEY is not set" in str(kept(server_engine(server.url))[1])


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.slept = 1000.0, 0.0
        self._sleep = asyncio.sleep
        monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now))
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds
        await self._sleep(0)


def test_server_that_asks_to_wait_is_waited_for(monkeypatch: pytest.MonkeyPatch, usual: list[Generation]) -> None:
    clock = Clock(monkeypatch)
    with hostile("429", retry_after="7") as server:
        assert answers_of(server_engine(server.url, concurrency=1), PROMPTS, 8) == usual
    assert 7 <= clock.slept < 8


def test_server_that_asks_to_wait_for_hours_stops_the_run() -> None:
    with hostile("429", retry_after="7200") as server:
        _, error = kept(server_engine(server.url, concurrency=1))
    assert "asks to wait 7200 s; what is answered is kept" in str(error)


def test_pauses_grow_with_every_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with hostile(always="503") as server:
        kept(server_engine(server.url, concurrency=1, retries=3, pause_seconds=1.0))
    assert clock.slept == pytest.approx(1 + 2 + 4)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0.0), ("12", 12.0), ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
     ("", 0.0), ("-3", 0.0), ("tomorrow", 0.0)],
)  # fmt: skip
def test_seconds_asked_for_reads_seconds_and_dates(header: str, seconds: float) -> None:
    assert http.seconds_asked_for(header, now=100.0) == seconds


def test_requests_are_as_many_at_once_as_said() -> None:
    most, now = 0, 0

    async def ask(connection: http.Connection, item: int) -> int:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return item

    told: list[int] = []
    http.each(
        http.Server("http://127.0.0.1:9/v1", concurrency=4), range(20), ask, lambda item, answer: told.append(item)
    )
    assert (most, sorted(told)) == (4, list(range(20)))


def test_each_works_where_a_loop_runs_already() -> None:
    async def ask(connection: http.Connection, item: int) -> int:
        return item

    async def in_a_notebook() -> list[int]:
        told: list[int] = []
        http.each(http.Server("http://127.0.0.1:9/v1"), range(3), ask, lambda item, answer: told.append(item))
        return told

    assert sorted(asyncio.run(in_a_notebook())) == [0, 1, 2]


def test_error_of_our_own_is_no_fault_of_the_server() -> None:
    async def ask(connection: http.Connection, item: int) -> int:
        raise KeyError(item)

    with pytest.raises(KeyError):
        http.each(http.Server("http://127.0.0.1:9/v1"), range(3), ask, lambda item, answer: None)
