"""Questions of a suite to look at on the way: none of those that the test asks or that prompts show as examples."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from paretune.choice.suites import suite_kind
from paretune.choice.suites.files import SuiteFolder
from paretune.choice.suites.load import Suite
from paretune.errors import DataError
from paretune.records import ChoiceQuestion


def read_validation_split(
    kind: str, path: Path | None, subjects: Sequence[str]
) -> tuple[list[ChoiceQuestion], dict[str, str]]:
    """The rows of a suite's own validation split, none where it has none, and the SHA-256 of the files read."""
    suite = suite_kind(kind)
    if path is None:
        if suite.embedded is None:
            raise DataError(f"{kind}: give the folder of its files; only the demo suites come with the program")
        path = suite.embedded()
    folder = SuiteFolder(path)
    return suite.validation(folder, subjects), dict(folder.hashes)


def draw_validation(
    suite: Suite,
    asked: Sequence[ChoiceQuestion],
    split: Sequence[ChoiceQuestion],
    *,
    count: int,
    shots: int,
    seed: int,
) -> tuple[ChoiceQuestion, ...]:
    """So many questions of the suite, each subject with about its share.

    Drawn from the rows that the test does not ask; where those are too few, from the validation split and the
    development rows behind the first `shots`, too. A row that says what a tested or shown one says is no candidate.
    Raises DataError naming the numbers where there are not enough.
    """
    shown = [row for rows in suite.shots.values() for row in rows[:shots]]
    taken = {_content(row) for row in (*asked, *shown)}
    rest = _others(suite.questions, taken)
    spare = [row for rows in suite.shots.values() for row in rows[shots:]]
    pool = rest if len(rest) >= count else [*rest, *_others((*split, *spare), taken | {_content(row) for row in rest})]
    if len(pool) < count:
        raise DataError(
            f"validation.general_questions: {count} asked of {suite.name}, which has {len(pool)} questions that are "
            f"neither in the test ({len(asked)} of {len(suite.questions)}) nor shown as examples; lower it, or ask "
            "fewer in the test (general.questions_per_subject)"
        )
    return _stratified(pool, count, seed)


def _others(rows: Iterable[ChoiceQuestion], taken: set[tuple[str, ...]]) -> list[ChoiceQuestion]:
    return [row for row in rows if _content(row) not in taken]


def _content(row: ChoiceQuestion) -> tuple[str, ...]:
    return row.question.strip(), *(option.strip() for option in row.options)


def _stratified(pool: Sequence[ChoiceQuestion], count: int, seed: int) -> tuple[ChoiceQuestion, ...]:
    """Drawn by the seed alone, so that every subject has about its share and every row the same chance; in the pool's
    order."""

    def drawn(name: str) -> float:
        return int.from_bytes(hashlib.sha256(f"{seed}/validation/{name}".encode()).digest()[:7]) / 2**56

    sizes = Counter(row.subject for row in pool)
    ranks: dict[str, int] = defaultdict(int)
    places: dict[str, float] = {}
    for row in sorted(pool, key=lambda row: drawn(row.id)):
        places[row.id] = (ranks[row.subject] + drawn(row.subject)) / sizes[row.subject]
        ranks[row.subject] += 1
    chosen = {row.id for row in sorted(pool, key=lambda row: places[row.id])[:count]}
    return tuple(row for row in pool if row.id in chosen)
