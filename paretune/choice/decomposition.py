"""Lost format or lost knowledge: what letter and written answers to the same questions say together.

A tuned model may write SQL wherever it is asked for a letter while the letters' probabilities are intact. Right by
letter but not in writing is lost format; wrong by both is lost knowledge (in a baseline: knowledge it never had).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paretune.errors import EmptySample, ScoringError
from paretune.records import ChoiceAnswer


class Cell(StrEnum):
    """Where one question stands."""

    KEPT = "kept"  # right by letter and in writing
    LOST_FORMAT = "lost format"  # right by letter only
    WRITTEN_ONLY = "written only"  # right in writing only
    LOST_KNOWLEDGE = "lost knowledge"  # wrong by both


@dataclass(frozen=True, slots=True)
class Decomposition:
    """cells: each question's cell, by id, in the order of the letter answers."""

    cells: Mapping[str, Cell]

    def counts(self) -> dict[Cell, int]:
        """Questions in each cell, every cell named."""
        counted = Counter(self.cells.values())
        return {cell: counted[cell] for cell in Cell}

    def moves_from(self, baseline: Decomposition) -> dict[tuple[Cell, Cell], int]:
        """How many questions stood in one cell under the baseline and stand in the other here, all 16 pairs.

        Raises ScoringError when the two were not asked the same questions.
        """
        _require_same(set(baseline.cells), set(self.cells), "baseline and variant")
        moves = Counter((baseline.cells[name], cell) for name, cell in self.cells.items())
        return {(before, after): moves[before, after] for before in Cell for after in Cell}


def decompose(letter: Sequence[ChoiceAnswer], generate: Sequence[ChoiceAnswer]) -> Decomposition:
    """Each question's cell from its letter answer and its written answer, under one variant.

    Raises EmptySample without answers, ScoringError when the two did not answer the same questions once each or an
    answer failed for reasons of ours.
    """
    by_letter, written = _by_id(letter), _by_id(generate)
    _require_same(set(by_letter), set(written), "letter and generate")
    if not by_letter:
        raise EmptySample("no answers to decompose")
    cells = {
        (True, True): Cell.KEPT,
        (True, False): Cell.LOST_FORMAT,
        (False, True): Cell.WRITTEN_ONLY,
        (False, False): Cell.LOST_KNOWLEDGE,
    }
    return Decomposition({name: cells[right, written[name]] for name, right in by_letter.items()})


def _by_id(answers: Sequence[ChoiceAnswer]) -> dict[str, bool]:
    verdicts: dict[str, bool] = {}
    for answer in answers:
        name = f"{answer.suite}/{answer.id}"
        if name in verdicts:
            raise ScoringError(f"question {name} is answered twice by {answer.method}; decompose one variant at a time")
        if answer.outcome == "failed":
            raise ScoringError(f"question {name} failed under {answer.method}; score it again before comparing")
        verdicts[name] = answer.correct
    return verdicts


def _require_same(first: set[str], second: set[str], what: str) -> None:
    if first != second:
        example = min(first ^ second)
        raise ScoringError(f"{what} answered different questions, {len(first ^ second)} in all, for example {example}")
