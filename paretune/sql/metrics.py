"""What is said of a prediction beside execution match: each metric is one function, registered with its source.

A metric over results is measured where a prediction is executed (sql/worker.py), one over texts where it is explained
(sql/explain.py). What it says stands in the field of records.SqlVerdict that has the function's name, and in the
summary of `paretune score` under the metric's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paretune.sql.database import SchemaNames
from paretune.sql.official_parser import official_parser_reads
from paretune.sql.rules import Comparison


@dataclass(frozen=True, slots=True)
class Texts:
    """A prediction beside its reference, as text. sql: the prediction, as the rule in force has it read. alike: are its
    clauses the reference's as sets, values aside (sql/spider_metrics.py). refused: does the database refuse it."""

    sql: str
    schema: SchemaNames
    alike: bool
    refused: bool


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric. name: as the summary has it. source: what it follows, for a reader. rules: those under which
    it is measured, () for all. measure: of Texts or of a Comparison, in [0, 1]."""

    name: str
    source: str
    measure: Callable[[Any], float]
    rules: tuple[str, ...] = ()


OF_TEXTS: dict[str, Metric] = {}
OF_RESULTS: dict[str, Metric] = {}


def of_rule(rule: str) -> dict[str, Metric]:
    """The metrics of results that are measured under a rule.

    >>> list(of_rule("bird")), list(of_rule("official"))
    (['soft_f1'], [])
    """
    return {name: metric for name, metric in OF_RESULTS.items() if rule in (metric.rules or (rule,))}


def of_texts(name: str, source: str) -> Callable[[Callable[[Texts], bool]], Callable[[Texts], bool]]:
    """Register a function of Texts; null for a reference that is not one SELECT statement."""

    def register(measure: Callable[[Texts], bool]) -> Callable[[Texts], bool]:
        OF_TEXTS[measure.__name__] = Metric(name, source, measure)
        return measure

    return register


def of_results(
    name: str, source: str, *, rules: tuple[str, ...]
) -> Callable[[Callable[[Comparison], float]], Callable[[Comparison], float]]:
    """Register a function of two results; 0 for a prediction that has none, null under other rules."""

    def register(measure: Callable[[Comparison], float]) -> Callable[[Comparison], float]:
        OF_RESULTS[measure.__name__] = Metric(name, source, measure, rules)
        return measure

    return register


@of_texts("exact set match, lenient", "Spider's script (evaluation.py), where the database runs the statement")
def exact_set_match(texts: Texts) -> bool:
    """Do the clauses match, in a statement that the database runs?"""
    return texts.alike and not texts.refused


@of_texts("exact set match, strict", "Spider's script (evaluation.py, process_sql.py)")
def exact_set_match_strict(texts: Texts) -> bool:
    """Do the clauses match, in a statement that the script's own parser reads?"""
    return texts.alike and official_parser_reads(texts.sql, texts.schema)


@of_results("soft F1", "BIRD's script (mini_dev, evaluation_f1.py: calculate_f1_score)", rules=("bird",))
def soft_f1(pair: Comparison) -> float:
    """How much of the rows is right.

    Repeated rows count once; the n-th row of one is compared with the n-th of the other, by which values stand in both.

    >>> pairs = ([(1, 2)], [(1, 3)]), ([], []), ([(1,)], [])
    >>> [soft_f1(Comparison(gold, predicted, 2, 2, "")) for gold, predicted in pairs]
    [0.5, 1.0, 0.0]
    """
    wanted, given = list(dict.fromkeys(pair.gold)), list(dict.fromkeys(pair.predicted))
    if not wanted and not given:
        return 1.0
    shared = superfluous = missing = 0.0
    for row, other in zip(wanted, given, strict=False):
        shared += sum(value in row for value in other) / len(row)
        superfluous += sum(value not in row for value in other) / len(row)
        missing += sum(value not in other for value in row) / len(row)
    superfluous += max(0, len(given) - len(wanted))
    missing += max(0, len(wanted) - len(given))
    precision = shared / (shared + superfluous) if shared + superfluous else 0.0
    recall = shared / (shared + missing) if shared + missing else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
