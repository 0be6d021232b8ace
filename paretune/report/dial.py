"""The dial as a table for the terminal and as lines for a plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from paretune.analysis.dial import Dial, DialPoint, between
from paretune.config import BASELINE
from paretune.files import write_text
from paretune.report.csv import csv_text
from paretune.report.target_words import target_word
from paretune.report.text_table import Table
from paretune.report.verdict import stated
from paretune.stats.intervals import Interval
from paretune.tasks import Facets
from paretune.text import Voice

MEASURED, INTERPOLATED = "measured", "interpolated"


def dial_table(dial: Dial, facets: Facets, voice: Voice) -> Table:
    """Every point with its accuracies, its changes against the base model, and the decision; the pick comes last."""
    say = voice.say
    header = [say("variant"), target_word(facets, voice, facets.metric), say("change")]
    for suite in dial.choices:
        header += [suite, say("change")]
    base_target, base_general = dial.base
    rows = [(BASELINE, voice.points(base_target), "",
             *(cell for suite in dial.choices for cell in (voice.points(base_general[suite]), "")), "")]  # fmt: skip
    rows += [_cells(point, dial, voice) for point in dial.points if point.judged is not None]
    asked = ", ".join(f"{suite} {count}" for suite, count in dial.choices.items())
    title = say("dial.title", variant=dial.variant, questions=dial.questions, choices=asked)
    budget = stated(dial.verdict.terms.budget_points)
    notes = [say("dial.intervals", planned=dial.verdict.planned), say("claims.pick", budget=budget)]
    pick = dial.pick
    notes.append(say("dial.none") if pick is None else say("dial.pick", variant=pick.name))
    return Table(title, (*header, say("decision")), tuple(rows), tuple(notes))


def _cells(point: DialPoint, dial: Dial, voice: Voice) -> tuple[str, ...]:
    assert point.judged is not None
    general = [
        cell
        for suite in dial.choices
        for cell in (voice.points(point.general[suite]), voice.interval(point.general_change(suite), signed=True))
    ]
    target = voice.interval(point.target_change, signed=True)
    decision = voice.say(f"decision:{point.judged.reason or 'pick'}")
    return (point.name, voice.points(point.target), target, *general, decision)


def write_dial(dial: Dial, path: Path) -> None:
    """Write the dial's lines, in place of those of the same variant; those of others stay."""
    kept = []
    if path.is_file():
        with open(path, encoding="utf-8", newline="") as file:
            kept = [row for row in csv.DictReader(file) if row.get("source") != dial.variant]
    ours = csv.DictReader(io.StringIO(csv_text(list(_rows(dial)))))
    write_text(path, csv_text([*kept, *ours]))


def _rows(dial: Dial) -> Iterator[dict[str, Any]]:
    """A line per point and suite; changes in points against the base model on the same questions."""
    base_target, base_general = dial.base
    picked = dial.pick
    for point in dial.points:
        for suite in dial.choices:
            judged = point.judged
            yield {
                **_place(dial, point.name, point.scale, point.checkpoint, MEASURED),
                **_figures("target", point.target, point.target_change),
                "suite": suite,
                **_figures("general", point.general[suite], point.general_change(suite)),
                "decision": "base model" if judged is None else judged.reason or "pick",
                "picked": point is picked,
            }
    for item in between(dial):
        for suite in dial.choices:
            target, general = item.target, item.general[suite]
            yield {
                **_place(dial, f"{dial.variant}@{item.scale:g}", item.scale, None, INTERPOLATED),
                **_figures("target", base_target + target.estimate, target),
                "suite": suite,
                **_figures("general", base_general[suite] + general.estimate, general),
            }


def _place(dial: Dial, name: str, scale: float, checkpoint: int | None, kind: str) -> Mapping[str, Any]:
    return {"source": dial.variant, "variant": name, "scale": scale, "checkpoint": checkpoint, "kind": kind}


def _figures(axis: str, accuracy: float, change: Interval | None) -> Mapping[str, Any]:
    return {
        f"{axis}_accuracy_percent": accuracy,
        f"{axis}_change_points": 0.0 if change is None else change.estimate,
        f"{axis}_change_low": 0.0 if change is None else change.low,
        f"{axis}_change_high": 0.0 if change is None else change.high,
    }
