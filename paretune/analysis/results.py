"""What a comparison says, as plain frozen dataclasses: everything that tables, plots and pages show.

Figures are in percentage points [0, 100] and stand with their intervals. "" and None mean that there is no such
figure; the field beside it (`..._reason`) then says why in an English sentence that every text catalogue has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from paretune.stats.intervals import Interval
from paretune.stats.paired import EquivalenceTest

Axis = Literal["target", "general"]
Finding = Literal["gain shown", "loss shown", "not shown"]


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant's main figures. general: of the main suite by its main method, micro average."""

    name: str
    kind: str
    source: str | None
    adapter_scale: float | None
    checkpoint: int | None
    execution: Interval
    exact_set_match: Interval | None
    test_suite: Interval | None
    general: Interval


@dataclass(frozen=True, slots=True)
class Difference:
    """second minus first on the same questions of one benchmark, and everything needed to judge it.

    benchmark: the suite's name, or "execution accuracy". interval: t over clusters; bootstrap: studentised cluster
    bootstrap. gained, lost: ids of the questions that only second, only first got right. t_p is the p value that
    holm_p adjusts for all `comparisons` made in this folder; finding: whether holm_p is below 1 - confidence, and
    which way.
    non_inferiority: "loses less than the margin"; equivalence: "differs by less than the margin";
    they are "refuted" only where a difference is found too.
    """

    axis: Axis
    benchmark: str
    method: str
    is_main: bool
    first: str
    second: str
    interval: Interval
    bootstrap: Interval
    standard_error: float
    degrees_of_freedom: float
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    discordant_share: float
    mcnemar_p: float
    permutation_p: float
    t_p: float
    holm_p: float
    comparisons: int
    finding: Finding
    minimum_detectable_effect: float
    non_inferiority: EquivalenceTest
    equivalence: EquivalenceTest


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One variant on one group of questions. change: against the baseline, None for the baseline itself.

    kind: "all" (every question, micro average), "macro" (mean of subjects), "category", or "hardness"; group: its
    name, "" for all and macro. A macro average has its change as t over subjects.
    """

    variant: str
    kind: Literal["all", "macro", "category", "hardness"]
    group: str
    accuracy: Interval
    change: Interval | None


@dataclass(frozen=True, slots=True)
class SuiteTable:
    """One general suite by one method. chance: in points, None where unknown. letter_mass: variant -> mean
    probability of all option letters together, for the letter method."""

    suite: str
    method: str
    is_main: bool
    chance: float | None
    shots: int | None
    notes: tuple[str, ...]
    rows: tuple[GroupRow, ...]
    letter_mass: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """How one subject of the main suite changed. baseline, tuned: points right; lost, gained: questions.

    change: Bonett and Price's interval, questions independent. holm_p: exact McNemar over all subjects and variants.
    """

    variant: str
    subject: str
    category: str
    questions: int
    baseline: float
    tuned: float
    change: Interval
    gained: int
    lost: int
    mcnemar_p: float
    holm_p: float


@dataclass(frozen=True, slots=True)
class ErrorClassRow:
    """How often a variant's SQL was wrong in one way. share: of all questions, in points."""

    variant: str
    error_class: str
    count: int
    share: Interval


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How many questions of a variant came to one outcome; both_empty: of them, gold and prediction without rows."""

    variant: str
    outcome: str
    count: int
    both_empty: int


@dataclass(frozen=True, slots=True)
class TradeOffPoint:
    """One variant in the plane. gain, general_change: against the baseline (0 for itself, without width).

    retention: percent of the ability above chance that was kept. price: points lost per point gained.
    """

    variant: str
    gain: Interval
    general_change: Interval
    retention: Interval | None
    retention_reason: str
    price: Interval | None
    price_reason: str
    on_front: bool
    front_probability: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Scales or checkpoints of one adapter in order, from the baseline to the whole adapter. values: scale or step,
    None for the baseline's step and the last checkpoint's, where unknown."""

    source: str
    kind: Literal["scale", "checkpoint"]
    variants: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class MatchedLoss:
    """Points of general ability that a curve has lost where it reaches `gain`."""

    source: str
    kind: Literal["scale", "checkpoint"]
    gain: float
    loss: Interval | None
    reason: str


@dataclass(frozen=True, slots=True)
class BudgetChoice:
    """The variant with the greatest gain among those losing at most `budget` points on the validation half; gain and
    general_change are those of the other half. within_budget: whether that half shows a loss below the budget."""

    variant: str
    budget: float
    validation_gain: float
    validation_loss: float
    gain: Interval
    general_change: Interval
    within_budget: str
    validation_questions: int
    test_questions: int


@dataclass(frozen=True, slots=True)
class TradeOff:
    """All variants as points, front, curves, and what to choose. hypervolume: square points above `reference`."""

    points: tuple[TradeOffPoint, ...]
    curves: tuple[Curve, ...]
    matched: tuple[MatchedLoss, ...]
    reference: tuple[float, float]
    hypervolume: Interval
    choice: BudgetChoice | None
    choice_reason: str


@dataclass(frozen=True, slots=True)
class RecipeSeeds:
    """Trainings that differ in nothing but the seed. deviation: between seeds, in points, None with one seed."""

    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    target: Interval
    target_deviation: float | None
    general: Interval
    general_deviation: float | None
    caveat: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a variant cost. stage_seconds: by stage, all entries added up. cut_answers: those that hit the limit."""

    variant: str
    stage_seconds: Mapping[str, float]
    train_rows: int
    left_out_rows: int
    training_steps: int
    skipped_steps: int
    training_tokens: int
    prompt_tokens: int | None
    generated_tokens: int
    cut_answers: int


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """Logged steps of one training, as columns of equal length."""

    variant: str
    steps: tuple[int, ...]
    loss: tuple[float | None, ...]
    learning_rate: tuple[float | None, ...]
    gradient_norm: tuple[float | None, ...]
    tokens: tuple[int, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a run folder's records say about gain and loss. variants: baseline first."""

    experiment: str
    model: str
    precision: str
    quantization: str
    target_benchmark: str
    target_rules: str
    questions: int
    databases: int
    main_suite: str
    main_method: str
    confidence: float
    margin_points: float
    replicates: int
    seed: int
    variants: tuple[VariantRow, ...]
    hardness: tuple[GroupRow, ...]
    suites: tuple[SuiteTable, ...]
    differences: tuple[Difference, ...]
    tradeoff: TradeOff
    subjects: tuple[SubjectRow, ...]
    error_classes: tuple[ErrorClassRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    recipes: tuple[RecipeSeeds, ...]
    costs: tuple[Cost, ...]
    training: tuple[TrainingCurve, ...]
    incomplete: Mapping[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def difference(self, variant: str, axis: Axis) -> Difference | None:
        """The main difference of a variant from the baseline on that axis; None for the baseline itself."""
        baseline = self.variants[0].name
        for item in self.differences:
            if (item.first, item.second, item.axis, item.is_main) == (baseline, variant, axis, True):
                return item
        return None

    def main_table(self) -> SuiteTable:
        """The table of the main suite by its main method."""
        return next(table for table in self.suites if table.is_main)
