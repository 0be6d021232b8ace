"""Do the lines of a run folder belong together? Each check returns its objections, naming file and question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paretune.records import ChoiceAnswer, ChoiceOutcome, SqlOutcome, SqlVerdict
from paretune.run.jsonl import Record
from paretune.run.lines import AskedChoice, AskedQuestion, VariantRecords

# Parts of a file's header that must be the same for all variants, where they are given.
SHARED_CONDITIONS = (
    "prepared", "data", "prompt", "prompts", "rules", "limit_seconds", "decoding", "max_new_tokens", "batch_size",
    "model", "weights", "precision", "quantization", "device", "suites", "lm_eval",
)  # fmt: skip
MOST_NAMED = 5  # examples in a message


def against_questions(
    name: str, verdicts: Sequence[SqlVerdict], questions: Sequence[AskedQuestion]
) -> tuple[list[str], int]:
    """Contradictions with what was asked, and how many questions have no line."""
    asked = {question.index: question for question in questions}
    seen: set[int] = set()
    strange: list[str] = []
    for verdict in verdicts:
        question = asked.get(verdict.index)
        if question is None:
            strange.append(f"question {verdict.index} was not asked")
        elif verdict.index in seen:
            strange.append(f"question {verdict.index} has two lines")
        elif (question.db_id, question.gold) != (verdict.db_id, verdict.gold):
            strange.append(f"question {verdict.index} has another database or reference")
        seen.add(verdict.index)
    return _shortened(f"{name}/sql.jsonl", strange), len(asked.keys() - seen)


def against_choices(
    name: str, answers: Sequence[ChoiceAnswer], choices: Sequence[AskedChoice]
) -> tuple[list[str], int]:
    """The same for multiple choice: every question of a suite by every method that any of its lines names."""
    asked = {(choice.suite, choice.id): choice for choice in choices}
    seen: set[tuple[str, str, str]] = set()
    strange: list[str] = []
    for answer in answers:
        choice = asked.get((answer.suite, answer.id))
        key = (answer.suite, answer.method, answer.id)
        if choice is None:
            strange.append(f"{answer.suite}: {answer.id} was not asked")
        elif key in seen:
            strange.append(f"{answer.suite}: {answer.id} has two lines by {answer.method}")
        elif (choice.answer, choice.subject) != (answer.answer, answer.subject):
            strange.append(f"{answer.suite}: {answer.id} has another right answer or subject")
        seen.add(key)
    methods: dict[str, set[str]] = {}
    for suite, method, _ in seen:
        methods.setdefault(suite, set()).add(method)
    wanted = {(suite, method, item) for suite, item in asked for method in methods.get(suite, {"any"})}
    return _shortened(f"{name}/choice.jsonl", strange), len(wanted - seen)


def conditions_that_differ(variants: Sequence[VariantRecords]) -> list[str]:
    """Header parts that should be common and are not, and methods that only some variants were asked by."""
    problems: list[str] = []
    for file in ("answers", "sql", "choice"):
        for part in SHARED_CONDITIONS:
            found = {v.name: v.headers[file][part] for v in variants if part in v.headers[file]}
            other = [name for name, value in found.items() if value != next(iter(found.values()))]
            if other:
                problems.append(f"{file}.jsonl: {', '.join(other)}: another {part} than {next(iter(found))}")
    asked = {v.name: frozenset((answer.suite, answer.method) for answer in v.choice) for v in variants}
    for name, methods in asked.items():
        if methods != next(iter(asked.values())):
            problems.append(f"{name}/choice.jsonl: other suites or methods than {next(iter(asked))}")
    return problems


def outdated(variants: Sequence[VariantRecords], prepared: Mapping[str, Record]) -> list[str]:
    """Answers whose header names, under "prepared", another fingerprint than that of the questions that lie here now:
    the same questions may have been asked in other words."""
    return [
        f"{variant.name}/{file}.jsonl: answers to an earlier prepared/ (fingerprint {named}); evaluate again"
        for variant in variants
        for file, header in prepared.items()
        if isinstance(named := variant.headers[file].get("prepared"), str) and named != header.get("fingerprint", named)
    ]


def failures(variant: VariantRecords) -> list[str]:
    """Outcomes that are our own fault; a figure that counts them as wrong answers would blame the model."""
    questions = [f"question {line.index}" for line in variant.sql if line.outcome is SqlOutcome.FAILED]
    choices = [f"{line.suite}: {line.id}" for line in variant.choice if line.outcome is ChoiceOutcome.FAILED]
    advice = "failed here, not in the model; evaluate the variant again"
    return [f"{problem} {advice}" for problem in _shortened(variant.name, [*questions, *choices])]


def _shortened(where: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return [f"{where}: {', '.join(items[:MOST_NAMED])}{more}"]
