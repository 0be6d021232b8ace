"""What was looked at on validation questions, without a model: a search and a dial with planted gains and losses."""

from __future__ import annotations

from collections.abc import Mapping

from paretune.analysis.dial import Dial, DialPoint
from paretune.pipeline.validation import StateAnswers, Validation, judge_states
from paretune.records import ChoicePrompt, ChoiceQuestion
from paretune.report.search import LookRow, SearchReport
from paretune.run.claims import Terms
from paretune.run.lines import AskedQuestion, Suite

QUESTIONS, RIGHT_TARGET, RIGHT_GENERAL = 400, 100, 300
Planted = Mapping[str, tuple[int, int]]
PICK = """name = "searched"

[training]
peak_learning_rate = 1e-4

[[variant]]
name = "search-1-seed-1"
rank = 8
"""


def validation() -> Validation:
    """Target questions in 20 databases, and as many of one suite."""
    questions = tuple(AskedQuestion(at, f"db-{at % 20}", f"question {at}", f"SELECT {at}") for at in range(QUESTIONS))
    choices = tuple(
        ChoicePrompt(ChoiceQuestion(f"s/{at}", "s", "c", f"{at}", ("a", "b"), 0), "cloze", "", ("x",), (" a", " b"))
        for at in range(QUESTIONS)
    )
    return Validation(questions, ("",) * QUESTIONS, {"demo": choices}, {"demo": Suite("demo", 0.5)}, "f")


def answers(gained: int = 0, lost: int = 0) -> StateAnswers:
    """Of a state that turns so many questions right, and so many choices wrong."""
    return StateAnswers.from_record({
        "target": "1" * (RIGHT_TARGET + gained) + "0" * (QUESTIONS - RIGHT_TARGET - gained),
        "general": {"demo": "1" * (RIGHT_GENERAL - lost) + "0" * (QUESTIONS - RIGHT_GENERAL + lost)},
    })  # fmt: skip


def searched(planted: Planted, *, front: tuple[str, ...], judged: tuple[str, ...], pick: str = PICK) -> SearchReport:
    """A search that looked at these states, "trial-000@1" and so on."""
    verdict = judge_states(
        validation(), {"baseline": answers(), **{name: answers(*both) for name, both in planted.items()}},
        Terms(margin_points=3.0), seed=1,
    )  # fmt: skip
    rows = [
        LookRow(name, {"peak_learning_rate": 1e-4 * (at + 1), "rank": 8, "target_modules": ["q_proj", "v_proj"]},
                float(name.partition("@")[2]), gained / 4, lost / 4, name in front, name in judged)
        for at, (name, (gained, lost)) in enumerate(planted.items())
    ]  # fmt: skip
    dropped = {"trial-009": "stopped by the monitor"}
    return SearchReport(rows, verdict, len(planted), dropped, QUESTIONS, QUESTIONS, pick)


def dialled(planted: Planted, variant: str = "run-1") -> Dial:
    """The dial of a variant with these states beside the base model's: run-1@0.5, run-1@step-2@0.5."""
    states = {"baseline": answers(), **{name: answers(*both) for name, both in planted.items()}}
    verdict = judge_states(validation(), states, Terms(margin_points=3.0), seed=1)
    judged = {unit.unit.name: unit for unit in verdict.units}
    base = (states["baseline"].target_points, {"demo": states["baseline"].general_points("demo")})
    points = [DialPoint("baseline", 0.0, None, *base, None)]
    for name in planted:
        parts = name.split("@")[1:]
        step = next((int(part.removeprefix("step-")) for part in parts if part.startswith("step-")), None)
        scale = next((float(part) for part in parts if not part.startswith("step-")), 1.0)
        figures = states[name].target_points, {"demo": states[name].general_points("demo")}
        points.append(DialPoint(name, scale, step, *figures, judged[name]))
    return Dial(variant, tuple(points), verdict, QUESTIONS, {"demo": QUESTIONS}, base)


SEARCH = searched(
    {"trial-000@0.5": (60, 2), "trial-000@1": (100, 12), "trial-001@1": (140, 30), "trial-002@1": (40, 20)},
    front=("trial-000@0.5", "trial-000@1", "trial-001@1"), judged=("trial-000@1",),
)  # fmt: skip
DIALS = (
    dialled({"run-1@0.25": (40, 0), "run-1@0.5": (90, 4), "run-1@0.75": (120, 20), "run-1": (130, 40),
             "run-1@step-200@0.5": (50, 1), "run-1@step-200": (80, 8)}),
    dialled({"run-2@step-100": (40, 0), "run-2@step-200": (90, 4), "run-2": (120, 20)}, "run-2"),
)  # fmt: skip
