from __future__ import annotations

import pytest
import torch

from paretune.engines.base import Sampling
from paretune.engines.hf import draws
from paretune.engines.hf.draws import draw, places
from tests.engines.asked import engine_of
from tests.engines.contract import PROMPTS, answers_of
from tests.engines.hf.test_generate import model_that_stops
from tests.tiny_models import tiny_tokenizer


def test_draws_follow_the_softmax_at_the_temperature() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -30.0])
    for temperature in (0.5, 1.0, 2.0):
        at = places([3], 40_000)[0]
        found = draw(logits.expand(len(at), -1), at, temperature)
        shares = torch.bincount(found, minlength=4) / len(at)
        assert shares.tolist() == pytest.approx((logits / temperature).softmax(-1).tolist(), abs=0.01)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0 - 2**-53])
def test_draw_never_takes_what_cannot_be(at: float) -> None:
    logits = torch.tensor([[-torch.inf, 0.0, 1.0, -torch.inf]])
    assert int(draw(logits, torch.tensor([at], dtype=torch.float64), 1.0)) in (1, 2)


def test_draws_of_many_rows_are_those_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, at = torch.randn((50, 30), generator=torch.Generator().manual_seed(0)), places([5], 50)[0]
    together = draw(logits, at, 0.8)
    monkeypatch.setattr(draws, "_DOUBLES", 70)  # two rows at a time
    assert torch.equal(draw(logits, at, 0.8), together)
    alone = [int(draw(logits[row : row + 1], at[row : row + 1], 0.8)) for row in range(50)]
    assert together.tolist() == alone


def test_longer_row_of_places_begins_as_the_shorter() -> None:
    assert torch.equal(places([1, 2], 9)[:, :4], places([1, 2], 4))
    assert not torch.equal(places([1], 4), places([2], 4))


def test_drawn_answers_are_the_same_by_either_loop_and_at_any_batch_size() -> None:
    seeds = tuple(range(2 * len(PROMPTS)))
    asked, order = [*PROMPTS, *PROMPTS], Sampling(1.0, seeds)
    found = [
        answers_of(engine_of(model_that_stops(), tiny_tokenizer(), fast=fast, batch_size=size), asked, 12, order)
        for fast, size in ((True, 1), (True, 3), (True, 64), (False, 1))
    ]
    assert found[0] == found[1] == found[2] == found[3]
    greedy = answers_of(engine_of(model_that_stops(), tiny_tokenizer()), asked, 12)
    assert found[0] != greedy


def test_drawn_answer_is_the_same_whatever_else_is_asked() -> None:
    engine, seeds = engine_of(model_that_stops(), tiny_tokenizer()), tuple(range(5, 5 + len(PROMPTS)))
    together = answers_of(engine, PROMPTS, 12, Sampling(1.0, seeds))
    others = [*PROMPTS[::-1], "something that begins like none of them"]
    again = answers_of(engine, others, 12, Sampling(1.0, (*seeds[::-1], 99)))
    assert again[:-1] == together[::-1]
    assert len({answer.text for answer in together}) > 1


def test_draws_at_a_low_temperature_are_the_most_probable_answers() -> None:
    engine = engine_of(model_that_stops(), tiny_tokenizer())
    assert answers_of(engine, PROMPTS, 12, Sampling(1e-4, tuple(range(len(PROMPTS))))) == answers_of(
        engine, PROMPTS, 12
    )
