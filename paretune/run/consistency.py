"""Do the lines of a run folder belong together? Each check returns its objections.

The one list of what must agree: a comparison refuses a difference, an audit reports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from paretune.records import ChoiceAnswer, ChoiceOutcome
from paretune.run.jsonl import Record
from paretune.run.lines import AskedChoice, AskedQuestion, Variant
from paretune.tasks import Facets, Identity, Verdict

# Parts of a file's header that must be the same for all variants, where they are given.
SHARED_CONDITIONS = (
    "prepared", "data", "databases", "prompt", "prompts", "suites", "lm_eval", "decoding", "max_new_tokens",
    "batch_size", "model", "weights", "precision", "quantization", "dtype", "device", "rules", "limit_seconds",
    "sqlite", "judge", "engine", "stop",
)  # fmt: skip
MOST_NAMED = 5  # examples in a message
LONGEST_VALUE = 60  # characters of a setting in a message

SENTENCES = {
    "no-manifest": "{file}: {reason}",
    "no-file": "{file}: not there; run the stage that writes it",
    "unreadable-lines": "{file}: {count} of {lines} lines cannot be read ({reason})",
    "not-asked": "{file}: {examples}: not asked",
    "two-lines": "{file}: {examples}: two lines",
    "another-reference": "{file}: {examples}: another database or reference than was asked",
    "another-right-answer": "{file}: {examples}: another right answer or subject than was asked",
    "different-setup": "{file}: {others}: another {setting} than {first}",
    "different-methods": "{file}: other suites or methods than {first}",
    "outdated-answers": "{file}: answers to an earlier prepared/ (fingerprint {fingerprint}); evaluate again",
    "other-answers": "{file}: verdicts on other answers than those of answers.jsonl; evaluate again",
    "failed-lines": "{variant}: {examples} failed here, not in the model; evaluate the variant again",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why lines must not be compared. code: a key of SENTENCES; figures: what its sentence quotes, and more."""

    code: str
    figures: Mapping[str, str | int]

    def __str__(self) -> str:
        return SENTENCES[self.code].format(**self.figures)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A header part that should be common and is not. values: the value as text -> the variants that have it."""

    file: str
    setting: str
    values: Mapping[str, tuple[str, ...]]


def against_questions(
    name: str, verdicts: Sequence[Verdict], questions: Sequence[AskedQuestion], facets: Facets
) -> tuple[list[Problem], int]:
    """Contradictions with what was asked, and how many questions have no line."""
    asked = {question.id: question for question in questions}
    reference = facets.names.get("reference", "reference")
    seen: set[Identity] = set()
    strange: dict[str, list[str]] = {}
    for verdict in verdicts:
        question = asked.get(verdict.id)
        if question is None:
            strange.setdefault("not-asked", []).append(f"question {verdict.id}")
        elif verdict.id in seen:
            strange.setdefault("two-lines", []).append(f"question {verdict.id}")
        elif (question.cluster, question.reference) != (
            verdict.cluster,
            verdict.detail.get(reference, question.reference),
        ):
            strange.setdefault("another-reference", []).append(f"question {verdict.id}")
        seen.add(verdict.id)
    return _problems(name, facets.lines, strange), len(asked.keys() - seen)


def against_choices(
    name: str,
    answers: Sequence[ChoiceAnswer],
    choices: Sequence[AskedChoice],
    methods: Mapping[str, Sequence[str]],
) -> tuple[list[Problem], int]:
    """The same for multiple choice. methods: those that each suite was to be asked by; of a suite that is not in it,
    those that any line names."""
    asked = {(choice.suite, choice.id): choice for choice in choices}
    seen: set[tuple[str, str, str]] = set()
    strange: dict[str, list[str]] = {}
    for answer in answers:
        choice = asked.get((answer.suite, answer.id))
        key = (answer.suite, answer.method, answer.id)
        where = f"{answer.suite}: {answer.id}"
        if choice is None:
            strange.setdefault("not-asked", []).append(where)
        elif key in seen:
            strange.setdefault("two-lines", []).append(f"{where} by {answer.method}")
        elif (choice.answer, choice.subject) != (answer.answer, answer.subject):
            strange.setdefault("another-right-answer", []).append(where)
        seen.add(key)
    named: dict[str, set[str]] = {}
    for suite, method, _ in seen:
        named.setdefault(suite, set()).add(method)
    wanted = {
        (suite, method, item) for suite, item in asked for method in methods.get(suite) or named.get(suite, {"any"})
    }
    return _problems(name, "choice", strange), len(wanted - seen)


def disagreements(variants: Sequence[Variant], lines: str) -> Iterator[Disagreement]:
    """Header parts that should be common and are not; a header without the part agrees with all.

    lines: the name of the task's files.
    """
    for file in ("answers", lines, "choice"):
        for setting in SHARED_CONDITIONS:
            values: dict[str, tuple[str, ...]] = {}
            for variant in variants:
                if setting in variant.headers[file]:
                    value = str(variant.headers[file][setting])
                    values[value] = (*values.get(value, ()), variant.name)
            if len(values) > 1:
                yield Disagreement(f"{file}.jsonl", setting, values)


def conditions_that_differ(variants: Sequence[Variant], lines: str) -> list[Problem]:
    """Header parts that should be common and are not, and methods that only some variants were asked by."""
    problems: list[Problem] = []
    for disagreement in disagreements(variants, lines):
        (first, *_), *others = disagreement.values.values()
        values = "; ".join(
            f"{value[:LONGEST_VALUE]} ({', '.join(names)})" for value, names in disagreement.values.items()
        )
        problems.append(
            Problem(
                "different-setup",
                {
                    "file": disagreement.file,
                    "setting": disagreement.setting,
                    "first": first,
                    "others": ", ".join(name for names in others for name in names),
                    "axis": "general" if disagreement.file == "choice.jsonl" else "target",
                    "values": values,
                },
            )
        )
    asked = {v.name: frozenset((answer.suite, answer.method) for answer in v.choice) for v in variants}
    for name, methods in asked.items():
        if methods != next(iter(asked.values())):
            problems.append(
                Problem(
                    "different-methods", {"file": f"{name}/choice.jsonl", "variant": name, "first": next(iter(asked))}
                )
            )
    return problems


def outdated(variant: Variant, prepared: Mapping[str, Record], lines: str) -> list[Problem]:
    """Answers whose header names, under "prepared", another fingerprint than that of the stored questions:
    the same questions may have been asked in other words. And verdicts on answers that are no longer stored."""
    problems = [
        Problem(
            "outdated-answers", {"file": f"{variant.name}/{file}.jsonl", "variant": variant.name, "fingerprint": mark}
        )
        for file, header in prepared.items()
        if isinstance(mark := variant.headers[file].get("prepared"), str) and mark != header.get("fingerprint", mark)
    ]
    judged, there = variant.headers[lines].get("answers"), variant.headers["answers"].get("fingerprint")
    if judged and there and judged != there:
        problems.append(Problem("other-answers", {"file": f"{variant.name}/{lines}.jsonl", "variant": variant.name}))
    return problems


def failures(variant: Variant) -> list[Problem]:
    """Outcomes that are our own fault; a figure that counts them as wrong answers would blame the model."""
    target = [f"question {line.id}" for line in variant.verdicts if line.outcome == "failed"]
    choice = [f"{line.suite}: {line.id}" for line in variant.choice if line.outcome is ChoiceOutcome.FAILED]
    parts = (("target", target, len(variant.verdicts)), ("general", choice, len(variant.choice)))
    return [
        Problem(
            "failed-lines",
            {"variant": variant.name, "axis": axis, "examples": _few(items), "count": len(items), "questions": lines},
        )
        for axis, items, lines in parts
        if items
    ]


def _problems(name: str, file: str, strange: Mapping[str, Sequence[str]]) -> list[Problem]:
    return [
        Problem(code, {"file": f"{name}/{file}.jsonl", "variant": name, "count": len(items), "examples": _few(items)})
        for code, items in strange.items()
    ]


def _few(items: Iterable[str]) -> str:
    named = list(items)
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(named[:MOST_NAMED]) + more
