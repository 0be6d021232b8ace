from __future__ import annotations

from collections.abc import Sequence

import pytest

from paretune.choice.decomposition import Cell, decompose
from paretune.errors import EmptySample, ScoringError
from paretune.records import ChoiceAnswer, ChoiceOutcome, Method


def answers(method: Method, right: Sequence[bool], outcome: ChoiceOutcome | None = None) -> list[ChoiceAnswer]:
    return [
        ChoiceAnswer(
            "mmlu", f"s/{row}", "s", "c", "run-1", method,
            outcome or (ChoiceOutcome.CORRECT if value else ChoiceOutcome.WRONG), value, None, 0, 0, (), None, 3,
        )
        for row, value in enumerate(right)
    ]  # fmt: skip


def test_decompose_names_each_cell() -> None:
    found = decompose(answers("letter", [True, True, False, False]), answers("generate", [True, False, True, False]))
    assert list(found.cells.values()) == [Cell.KEPT, Cell.LOST_FORMAT, Cell.WRITTEN_ONLY, Cell.LOST_KNOWLEDGE]
    assert found.counts() == dict.fromkeys(Cell, 1)


def test_moves_from_baseline_counts_every_pair_of_cells() -> None:
    before = decompose(answers("letter", [True, True, True]), answers("generate", [True, True, False]))
    after = decompose(answers("letter", [True, False, True]), answers("generate", [False, False, False]))
    moves = after.moves_from(before)
    assert len(moves) == 16
    assert moves[Cell.KEPT, Cell.LOST_FORMAT] == 1
    assert moves[Cell.KEPT, Cell.LOST_KNOWLEDGE] == 1
    assert moves[Cell.LOST_FORMAT, Cell.LOST_FORMAT] == 1
    assert sum(moves.values()) == 3


def test_decompose_different_questions_is_refused() -> None:
    with pytest.raises(ScoringError, match="s/1"):
        decompose(answers("letter", [True, True]), answers("generate", [True]))


def test_decompose_failed_answer_is_refused() -> None:
    with pytest.raises(ScoringError, match="failed under letter"):
        decompose(answers("letter", [False], ChoiceOutcome.FAILED), answers("generate", [True]))


def test_decompose_two_variants_mixed_is_refused() -> None:
    with pytest.raises(ScoringError, match="twice"):
        decompose(answers("letter", [True]) * 2, answers("generate", [True]) * 2)


def test_decompose_nothing_is_refused() -> None:
    with pytest.raises(EmptySample):
        decompose([], [])
