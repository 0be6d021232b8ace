"""What a comparison says, as plain frozen dataclasses: everything that tables, plots and pages show.

Figures are in percentage points [0, 100] and stand with their intervals. "" and None mean that there is no such
figure; the field beside it (`..._reason`) then says why in an English sentence that every text catalogue has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from paretune.errors import UndefinedFigure
from paretune.run.claims import Change, Terms
from paretune.stats.claims import LossTest
from paretune.stats.intervals import Interval
from paretune.stats.pick import Reason, SplitCheck
from paretune.tasks import Facets

Axis = Literal["target", "general"]
SampleFigure = Literal["mean", "pass", "vote", "oracle"]
Likeness = Literal["alike", "different", "not shown"]
Finding = Literal["gain shown", "loss shown", "not shown", "one seed of several"]
BUDGETS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0)  # points that a reader may allow instead of the stated one


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant's main figures. target: None where no benchmark is the target. secondary: further accuracies of the
    target by their column, None where not every question has a verdict. general: of the main suite by its main method,
    micro average. stopped_step, chosen_checkpoint: of its training, where it did not end in the usual way."""

    name: str
    kind: str
    source: str | None
    adapter_scale: float | None
    checkpoint: int | None
    repair: str | None
    target: Interval | None
    secondary: Mapping[str, Interval | None]
    general: Interval
    stopped_step: int | None = None
    chosen_checkpoint: int | None = None

    @property
    def leading(self) -> Interval:
        """The accuracy on the target; without one, that on the main suite."""
        return self.target or self.general


@dataclass(frozen=True, slots=True)
class Claim:
    """What one comparison on one benchmark shows, judged together with all others planned there.

    interval: holds for all `comparisons` of the family together, and everything is read off it: `finding` is whether
    it leaves out 0, `loss` and `budget` (general suites only) whether a loss beyond margin and budget is ruled out.
    alone: the interval as if nothing else had been compared. t_p: two-sided p alone; family_p: counting the family,
    by family_method; holm_p: the same by Holm, for comparison. detectable: true difference that such data show four
    times in five under this very rule, None where no possible one is. effective_clusters: clusters of equal size that
    the questions are worth, 0 where questions are independent. ladder: `budget` once more for each of `BUDGETS`.
    """

    benchmark: str
    method: str
    is_primary: bool
    interval: Interval
    alone: Interval
    t_p: float
    family_p: float
    holm_p: float
    comparisons: int
    family_method: str
    finding: Finding
    detectable: float | None
    effective_clusters: float
    loss: LossTest | None
    budget: LossTest | None
    ladder: tuple[LossTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """second minus first on the same questions of one benchmark, and everything needed to judge it.

    benchmark: the suite's name, or the task's metric. claim: what it shows; of one seed of several it is no claim
    (`finding` says so), the recipe's is. bootstrap: studentised cluster bootstrap. gained, lost: ids of the questions
    that only second, only first got right.
    """

    axis: Axis
    benchmark: str
    method: str
    is_main: bool
    first: str
    second: str
    claim: Claim
    bootstrap: Interval
    standard_error: float
    degrees_of_freedom: float
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    discordant_share: float
    mcnemar_p: float
    permutation_p: float

    @property
    def interval(self) -> Interval:
        """The claim's."""
        return self.claim.interval

    @property
    def finding(self) -> Finding:
        """The claim's."""
        return self.claim.finding


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One variant on one group of questions. change: against the baseline, None for the baseline itself.

    kind: "all" (every question, micro average), "macro" (mean of subjects), "category", or "level"; group: its
    name, "" for all and macro. A macro average has its change as t over subjects.
    """

    variant: str
    kind: Literal["all", "macro", "category", "level"]
    group: str
    accuracy: Interval
    change: Interval | None


@dataclass(frozen=True, slots=True)
class SuiteTable:
    """One general suite by one method. chance: in points, None where unknown. letter_mass: variant -> mean
    probability of all option letters together, for the letter method. instead_of: the method that was wanted, where the
    engine could not score by it and asked in writing."""

    suite: str
    method: str
    is_main: bool
    chance: float | None
    shots: int | None
    notes: tuple[str, ...]
    rows: tuple[GroupRow, ...]
    letter_mass: Mapping[str, float]
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """How one subject of the main suite changed. baseline, tuned: points right; lost, gained: questions.

    change: Bonett and Price's interval, questions independent. together: the interval that holds for all subjects and
    variants at once, so that the worst of them may be quoted. holm_p: exact McNemar over all subjects and variants.
    """

    variant: str
    subject: str
    category: str
    questions: int
    baseline: float
    tuned: float
    change: Interval
    together: Interval
    gained: int
    lost: int
    mcnemar_p: float
    holm_p: float


@dataclass(frozen=True, slots=True)
class ErrorClassRow:
    """How often a variant's answers were wrong in one way. share: of all questions, in points."""

    variant: str
    error_class: str
    count: int
    share: Interval


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How many questions of a variant came to one outcome; marks: of them, those that the task marks, by mark."""

    variant: str
    outcome: str
    count: int
    marks: Mapping[str, int]


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
class TradeOff:
    """All variants as points, front and curves. hypervolume: square points above `reference`."""

    points: tuple[TradeOffPoint, ...]
    curves: tuple[Curve, ...]
    matched: tuple[MatchedLoss, ...]
    reference: tuple[float, float]
    hypervolume: Interval


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A recipe or a single variant with its claims: the unit of everything that is claimed.

    seeds: of each variant, None where it was not trained here; missing: planned seeds without answers. target: the
    claim on the target, None where no benchmark is; general: on every suite and method. deviation: between seeds, in
    points, and what it may be at most; None with one seed. caveat: what a reader must be told about the seeds.
    """

    name: str
    variants: tuple[str, ...]
    seeds: tuple[int | None, ...]
    missing: tuple[str, ...]
    target: Claim | None
    general: tuple[Claim, ...]
    target_deviation: float | None
    target_deviation_high: float | None
    general_deviation: float | None
    caveat: str

    @property
    def primary(self) -> tuple[Claim, ...]:
        """The claims on primary suites."""
        return tuple(claim for claim in self.general if claim.is_primary)

    @property
    def leading(self) -> Claim:
        """The claim on the target; without one, that on the first suite."""
        return self.target or self.general[0]

    @property
    def is_recipe(self) -> bool:
        """Whether several variants stand behind it."""
        return len(self.variants) > 1


@dataclass(frozen=True, slots=True)
class UnitVerdict:
    """worst: the claim on the primary suite that must be quoted. reason: why this is not the pick, "" for the pick."""

    unit: UnitRow
    worst: Claim
    reason: Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one object that tables, page, terminal and README quote.

    pick: the unit to use, None for the base model; without a target nothing is picked. units: every unit with the
    reason against it, in the folder's order. split: what picking the largest gain adds to it, None where there is
    nothing to pick from or to split. terms: what was stated; changes: what was changed since answers were there, or is
    missing. planned: comparisons whose intervals hold together: units, and without a target units times suites.
    scope: "databases" where the databases of the target are a sample of others, "these" where they are not.
    """

    pick: UnitVerdict | None
    units: tuple[UnitVerdict, ...]
    split: SplitCheck | None
    terms: Terms
    changes: tuple[Change, ...]
    planned: int
    scope: Literal["databases", "these"]

    @property
    def subject(self) -> UnitVerdict | None:
        """What the sentences are about: the pick, else the unit with the largest gain, shown ones first."""
        if self.pick is not None or not self.units:
            return self.pick
        return max(
            self.units,
            key=lambda item: (item.unit.leading.finding == "gain shown", item.unit.leading.interval.estimate),
        )

    def of(self, variant: str) -> UnitVerdict | None:
        """The unit of a variant."""
        return next((item for item in self.units if variant in item.unit.variants), None)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a variant cost. stage_seconds: by stage, all entries added up. chatter_tokens: of those generated, the ones
    behind a complete statement. Answers by their end: turn_ended by the model, statement_ended by the engine behind a
    complete statement, cut by the token limit. general_rows: of the training rows, those of replay and of the
    objective's texts; general_tokens: of these, per epoch."""

    variant: str
    stage_seconds: Mapping[str, float]
    train_rows: int
    left_out_rows: int
    training_steps: int
    skipped_steps: int
    training_tokens: int
    general_rows: int
    general_tokens: int
    prompt_tokens: int | None
    generated_tokens: int
    chatter_tokens: int
    turn_ended_answers: int
    statement_ended_answers: int
    cut_answers: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """What several answers per question are worth. figure: "mean" (one drawn answer), "pass" (at least one of k drawn
    is right), "oracle" (one of all that were drawn), or "vote" (the one that most agree with). k: answers that it
    takes; tokens: that they cost per question, on average."""

    variant: str
    figure: SampleFigure
    k: int
    accuracy: Interval
    tokens: float


@dataclass(frozen=True, slots=True)
class ServedRow:
    """Whether a server answers as what it stands for does: one benchmark by one method. change: served minus source, in
    points, for all served variants of the benchmark together. finding: "alike" where the whole interval lies within the
    margin, "different" where it leaves out 0. same_answers: share of questions with the same text (or, where none was
    written, the same option), in points."""

    variant: str
    source: str
    benchmark: str
    method: str
    same_answers: float
    gained: int
    lost: int
    change: Interval
    finding: Likeness


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
    """Everything that a run folder's records, or the logs of others, say about gain and loss. variants: baseline first.
    target_benchmark: "" where no benchmark is the target, as in logs; then there is no trade-off and no pick, and every
    suite is judged for gain and loss alike. questions, clusters: of the target, without the void questions, whose
    outcome says nothing of the answer. facets: of its task."""

    experiment: str
    model: str
    precision: str
    quantization: str
    target_benchmark: str
    target_rules: str
    questions: int
    clusters: int
    effective_clusters: float
    void_questions: int
    facets: Facets
    main_suite: str
    main_method: str
    confidence: float
    replicates: int
    seed: int
    variants: tuple[VariantRow, ...]
    levels: tuple[GroupRow, ...]
    suites: tuple[SuiteTable, ...]
    differences: tuple[Difference, ...]
    verdict: Verdict
    tradeoff: TradeOff | None
    subjects: tuple[SubjectRow, ...]
    error_classes: tuple[ErrorClassRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    costs: tuple[Cost, ...]
    training: tuple[TrainingCurve, ...]
    incomplete: Mapping[str, tuple[str, ...]]
    samples: tuple[SampleRow, ...] = ()
    served: tuple[ServedRow, ...] = ()

    @property
    def has_target(self) -> bool:
        """Whether one of the benchmarks is what was trained for."""
        return self.tradeoff is not None

    @property
    def plane(self) -> TradeOff:
        """The trade-off where there is a target. Raises UndefinedFigure without."""
        if self.tradeoff is None:
            raise UndefinedFigure("no benchmark is the target, so there is no trade-off")
        return self.tradeoff

    @property
    def margin_points(self) -> float:
        """The loss that would not matter."""
        return self.verdict.terms.margin_points

    @property
    def units(self) -> tuple[UnitRow, ...]:
        """Recipes and single variants with their claims."""
        return tuple(item.unit for item in self.verdict.units)

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
