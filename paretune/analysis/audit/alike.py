"""Were the variants measured alike, and can the data show what they seem to show?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from paretune.analysis.audit.findings import Figures, Finding, Lines, RunRecords
from paretune.config import BASELINE
from paretune.run.jsonl import Record
from paretune.stats.clusters import subject_clusters
from paretune.stats.paired import PairedDifference, paired_difference
from paretune.stats.pick import FEWEST_TO_SPLIT

AXES = {"target": "sql", "general": "choice"}
# What a header may say that decides an answer or its verdict; two variants must say the same.
SETTINGS = (
    "prepared", "data", "prompt", "prompts", "suites", "rules", "limit_seconds", "decoding", "max_new_tokens",
    "batch_size", "model", "weights", "precision", "quantization", "dtype", "device", "sqlite",
)  # fmt: skip
LONGEST_VALUE = 60  # characters of a setting in a sentence
FEWEST_QUESTIONS = 30
FEWEST_CLUSTERS = 5


def comparison_findings(records: RunRecords) -> Iterator[Finding]:
    """Different data, set-ups or prompts between variants, lost lines, and differences the data cannot show."""
    for axis, kind in AXES.items():
        lines = {variant.name: getattr(variant, kind) for variant in records.variants}
        answered = {name: found for name, found in lines.items() if found.records}
        yield from _failed_lines(axis, answered)
        yield from _different_setups(axis, {name: found.header for name, found in answered.items()})
        yield from _missing(axis, answered, getattr(records, kind))
        yield from _different_prompts(axis, answered)
        yield from _weak_differences(axis, answered)
    answers = {variant.name: variant.answers.header for variant in records.variants if variant.answers.records}
    yield from _different_setups("target", answers)
    yield from _selection(records)


def key_of(line: Record) -> str:
    """What identifies a question among the lines of one variant."""
    if "index" in line:
        return str(line["index"])
    return f"{line.get('suite')}/{line['id']}/{line.get('method', '')}"


def _question_of(line: Record) -> str:
    return str(line["index"]) if "index" in line else f"{line.get('suite')}/{line['id']}"


def _failed_lines(axis: str, answered: Mapping[str, Lines]) -> Iterator[Finding]:
    for name, found in answered.items():
        failed = sum(line["outcome"] == "failed" for line in found.records)
        if failed:
            figures: Figures = {"variant": name, "count": failed, "questions": len(found.records), "axis": axis}
            yield Finding("invalid", "failed-lines", figures)


def _different_setups(axis: str, headers: Mapping[str, Record]) -> Iterator[Finding]:
    for setting in SETTINGS:
        said: dict[str, list[str]] = {}
        for name, header in headers.items():
            if setting in header:
                said.setdefault(str(header[setting]), []).append(name)
        if len(said) > 1:
            values = "; ".join(f"{value[:LONGEST_VALUE]} ({', '.join(names)})" for value, names in said.items())
            yield Finding("invalid", "different-setup", {"setting": setting, "axis": axis, "values": values})


def _missing(axis: str, answered: Mapping[str, Lines], asked: Lines) -> Iterator[Finding]:
    everything = {key_of(line) for found in answered.values() for line in found.records}
    wanted = {_question_of(line) for line in asked.records}
    for name, found in answered.items():
        absent = len(everything - {key_of(line) for line in found.records})
        absent = max(absent, len(wanted - {_question_of(line) for line in found.records}))
        if absent:
            questions = max(len(everything), len(wanted))
            figures: Figures = {"variant": name, "count": absent, "questions": questions, "axis": axis}
            yield Finding("invalid", "missing-answers", figures)


def _different_prompts(axis: str, answered: Mapping[str, Lines]) -> Iterator[Finding]:
    names = list(answered)
    if not names:
        return
    first = _prompt_tokens(answered[names[0]])
    for name in names[1:]:
        other = _prompt_tokens(answered[name])
        count = sum(first[key] != tokens for key, tokens in other.items() if key in first)
        if count:
            yield Finding("invalid", "different-prompts", {"variant": name, "count": count, "axis": axis})


def _prompt_tokens(found: Lines) -> dict[str, Any]:
    return {key_of(line): line["prompt_tokens"] for line in found.records if line.get("prompt_tokens") is not None}


def _weak_differences(axis: str, answered: Mapping[str, Lines]) -> Iterator[Finding]:
    """Every variant against the baseline, where there is one, by the intervals that the tables have."""
    if not answered or next(iter(answered)) != BASELINE:
        return
    for benchmark, lines in _by_benchmark(axis, answered).items():
        base = lines.pop(BASELINE)
        clusters = len({_cluster(line) for line in base.values()})
        if clusters < FEWEST_CLUSTERS:
            yield Finding("note", "few-clusters", {"axis": benchmark, "questions": len(base), "clusters": clusters})
        for name, other in lines.items():
            shared = [key for key in base if key in other]
            if len(shared) < 2:
                continue
            groups = [_cluster(base[key]) for key in shared]
            found = paired_difference(
                [_is_correct(base[key]) for key in shared],
                [_is_correct(other[key]) for key in shared],
                groups if axis == "target" else subject_clusters(groups),
                generator=np.random.default_rng(0),
                replicates=1,
            )
            yield from weak_difference(name, benchmark, found)


def _by_benchmark(axis: str, answered: Mapping[str, Lines]) -> dict[str, dict[str, dict[Any, Record]]]:
    """Lines by benchmark, variant and key, the baseline's benchmarks only: the axis itself or, where there are several
    suites or methods, each of them."""
    given: dict[tuple[str, str], dict[str, dict[Any, Record]]] = {}
    for name, found in answered.items():
        for line in found.records:
            asked = (str(line.get("suite", "")), str(line.get("method", ""))) if axis == "general" else ("", "")
            given.setdefault(asked, {}).setdefault(name, {})[key_of(line)] = line
    kept = {asked: lines for asked, lines in given.items() if BASELINE in lines}
    if len(kept) == 1:
        return dict.fromkeys([axis], *kept.values())
    return {f"{suite} ({method})": lines for (suite, method), lines in kept.items()}


def weak_difference(variant: str, axis: str, found: PairedDifference) -> Iterator[Finding]:
    """A difference whose interval holds 0: a warning on fewer than 30 questions, else a note."""
    few = found.n < FEWEST_QUESTIONS
    if 0 in found.t or few:
        figures: Figures = {
            "variant": variant,
            "axis": axis,
            "difference": found.difference,
            "low": found.t.low,
            "high": found.t.high,
            "questions": found.n,
            "detectable": found.minimum_detectable_effect,
        }
        yield Finding("warning" if few else "note", "too-few-questions", figures)


def _selection(records: RunRecords) -> Iterator[Finding]:
    """What the manifest of a folder made elsewhere says of its choice; else what these records allow."""
    selection = records.manifest.get("selection")
    if isinstance(selection, dict) and selection.get("rows"):
        if selection["rows"] == "test":
            yield Finding("warning", "selected-on-test", {"variant": str(selection.get("variant", "?"))})
        return
    tuned = [variant for variant in records.variants if variant.name != "baseline"]
    if len(tuned) < 2:
        return
    asked = [len(lines.records) for lines in (records.variants[0].sql, records.variants[0].choice) if lines.records]
    if min(asked, default=FEWEST_TO_SPLIT) < FEWEST_TO_SPLIT:
        # Too few to choose on one half and judge on the other: whoever names the best has looked at the test rows.
        best = max(tuned, key=lambda variant: sum(map(_is_correct, variant.sql.records)))
        yield Finding("warning", "selected-on-test", {"variant": best.name})
    elif len(tuned) > 2:
        yield Finding("note", "best-of-many", {"variants": len(tuned)})


def _is_correct(line: Record) -> bool:
    return bool(line["outcome"] == "correct")


def _cluster(line: Record) -> str:
    return str(line.get("db_id") or line.get("subject"))
