"""How often is a claim false? Each way in which a verdict could be steered, as a simulated row: before and after.

"Before" is the rule that was used until claims were made by `stats.estimate`, `stats.family` and `stats.claims`: t
with a floor of 0.8 times the independent error, Holm over all comparisons for gains, 90 % intervals without adjustment
for losses, the first suite only, one random half of the questions for the pick, any number of clusters. It is written
down again here, since it is no longer in the package.

Run: python -m benchmarks.coverage --only claims [--simulations 1000] [--seed 0] [--row "few flips"]; about 25 minutes
of one core at 1000 simulations, where shares near 5 % are known to 0.7 points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from paretune.analysis.groups import bonett_price
from paretune.stats.claims import finding, gravest, loss_test, sensitivity
from paretune.stats.clusters import FloatArray, are_a_sample, mean_from_sums, sampling_units, sum_by_cluster
from paretune.stats.estimate import Estimate
from paretune.stats.family import family_of
from paretune.stats.intervals import accuracy_interval
from paretune.stats.paired import holm, paired_estimate
from paretune.stats.power import Clustering, Plan, power_to_rule_out, power_to_show, questions_needed
from paretune.stats.seeds import seed_effect

SPIDER = (4, 15, 16, 18, 30, 30, 38, 40, 40, 42, 45, 56, 62, 62, 78, 80, 82, 84, 92, 120)
MMLU_100 = (100,) * 57
MMLU = (246,) * 57
DEMO = (14,) * 6
DRAWS = 1500
Labels = list[int]


@dataclass(frozen=True)
class Row:
    """A share of simulations in percent, before and after. wanted: what it should be, "" where it is only stated."""

    case: str
    setting: str
    before: float | None
    after: float
    wanted: str


@dataclass(frozen=True)
class Old:
    """The figures of the rule before: in shares, not points."""

    mean: float
    error: float
    freedom: float

    @property
    def p_value(self) -> float:
        return float(2 * stats.t.sf(abs(self.mean) / self.error, self.freedom)) if self.mean else 1.0

    def low(self, tail: float) -> float:
        return self.mean - float(stats.t.ppf(1 - tail, self.freedom)) * self.error

    def rules_out(self, margin: float) -> bool:
        return self.low(0.05) > -margin

    @property
    def detectable(self) -> float:
        return self.error * float(stats.t.ppf(0.975, self.freedom) + stats.t.ppf(0.8, self.freedom))


def old(differences: FloatArray, clusters: Labels | None) -> Old:
    found = mean_from_sums(sum_by_cluster(differences, clusters))
    quantile = float(stats.t.ppf(0.975, found.degrees_of_freedom))
    if found.value_variance == 0:
        weight = quantile**2 / len(differences)
        return Old(found.mean, weight / (1 + weight) / quantile, found.degrees_of_freedom)
    least = 0.8 * 1.96 / quantile * (found.value_variance / found.questions) ** 0.5
    return Old(found.mean, max(found.standard_error, least), found.degrees_of_freedom)


def new(differences: FloatArray, clusters: Sequence[object] | None) -> Estimate:
    return paired_estimate(np.zeros(len(differences)), differences, clusters)


def labels(sizes: Sequence[int]) -> Labels:
    return np.repeat(np.arange(len(sizes)), sizes).tolist()


def flips(gain: npt.ArrayLike, loss: npt.ArrayLike, generator: np.random.Generator, count: int) -> FloatArray:
    """(count,) of -1, 0, 1 with these probabilities of turning right and wrong."""
    draw = generator.random(count)
    return np.where(draw < np.asarray(loss), -1.0, np.where(draw > 1 - np.asarray(gain), 1.0, 0.0))


def turned(rates: FloatArray, churn: float, sizes: Sequence[int], generator: np.random.Generator) -> FloatArray:
    """Flips of questions whose cluster gains `rates` (clusters,) in truth; `churn` differ besides."""
    each = np.repeat(np.clip(rates, -1, 1), sizes)
    return flips(churn / 2 + np.maximum(each, 0), churn / 2 + np.maximum(-each, 0), generator, len(each))


def share(hits: Sequence[bool]) -> float:
    return 100 * float(np.mean(hits))


def best_seed(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E1: one recipe that gains nothing on average, its seeds with a standard deviation of 4 points."""
    for seeds in (2, 3, 5):
        before, after = [], []
        for _ in range(simulations):
            base = np.zeros(1034)
            shift = generator.normal(0, 0.04, seeds)
            rows = np.stack([turned(generator.normal(one, 0.03, 20), 0.15, SPIDER, generator) for one in shift])
            singles = [old(row, labels(SPIDER)) for row in rows]
            adjusted = holm([single.p_value for single in singles])
            before.append(any(p < 0.05 and one.mean > 0 for p, one in zip(adjusted, singles, strict=True)))
            after.append(seed_effect(base, rows, labels(SPIDER)).estimate.low(0.025) > 0)
        yield Row("E1 best seed", f"{seeds} seeds, false gain", share(before), share(after), "<= 5")


def other_suite(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E2: the first suite loses nothing, the second three points; margin 1 point."""
    before, after = [], []
    for _ in range(simulations):
        first = turned(np.zeros(57), 0.05, MMLU_100, generator)
        second = turned(np.full(57, -0.03), 0.05, MMLU_100, generator)
        tests = [loss_test(new(one, labels(MMLU_100)), 1.0) for one in (first, second)]
        before.append(old(first, labels(MMLU_100)).rules_out(0.01))
        after.append(tests[gravest(tests)].verdict == "ruled out")
    yield Row("E2 other suite", "loses 3, false ruled out", share(before), share(after), "<= 6")


def insensitive(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E3: a base model near chance (25 %) forgets everything; margin 1 point, 14,042 questions."""
    for base in (0.256, 0.27, 0.31):
        before, after = [], []
        for _ in range(max(100, simulations // 4)):
            first = generator.random(14042) < base
            second = generator.random(14042) < 0.25  # whatever it knew is gone
            differences = second.astype(float) - first
            clear = sensitivity(accuracy_interval(first), 25.0, 1.0)
            before.append(old(differences, None).rules_out(0.01))
            after.append(loss_test(new(differences, None), 1.0, sensitivity=clear).verdict == "ruled out")
        yield Row(
            "E3 near chance", f"base {100 * base:.1f} %, all forgotten: ruled out", share(before), share(after), "<= 6"
        )


def few_flips(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E4: a loss of exactly the margin of 1 point, nothing gained, questions independent."""
    for name, sizes in (("300", [1] * 300), ("600", [1] * 600), ("9 x 50", [50] * 9), ("20 x 50", [50] * 20)):
        before, after = [], []
        groups = None if max(sizes) == 1 else labels(sizes)
        for _ in range(2 * simulations):
            one = flips(0.0, 0.01, generator, sum(sizes))
            before.append(old(one, groups).rules_out(0.01))
            after.append(loss_test(new(one, groups), 1.0).verdict == "ruled out")
        yield Row("E4 few flips", f"{name}, lost 1 of 1, false ruled out", share(before), share(after), "<= 6")
    for loss, name in ((0.0, "no loss"), (0.005, "0.5 lost")):
        before, after = [], []
        for _ in range(simulations):
            one = turned(np.full(57, -loss), 0.02, MMLU_100, generator)
            before.append(old(one, labels(MMLU_100)).rules_out(0.01))
            after.append(loss_test(new(one, labels(MMLU_100)), 1.0).verdict == "ruled out")
        yield Row("E4 few flips", f"57 x 100, 2 % flips, {name}: ruled out", share(before), share(after), "")


def half_against_whole(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E5: the page judged one half of the questions, the tables all of them."""
    before = []
    for _ in range(simulations):
        one = turned(generator.normal(-0.004, 0.01, 57), 0.04, MMLU_100, generator)
        half = generator.random(len(one)) < 0.5
        groups = np.array(labels(MMLU_100))
        on_half = old(one[half], groups[half].tolist()).rules_out(0.01)
        before.append(on_half != old(one, groups.tolist()).rules_out(0.01))
    yield Row("E5 two verdicts", "page and table disagree on a loss", share(before), 0.0, "0")


def detectable(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E6: one variant gains the printed detectable difference, all others nothing; called shown."""
    designs = {"6 x 14": (DEMO, 0.4, 0.05), "20 databases": (SPIDER, 0.2, 0.03), "57 x 100": (MMLU_100, 0.1, 0.01)}
    pilots = max(300, simulations // 2)  # the mean reach must be known well: the share shown is steep there
    for name, (sizes, churn, spread) in designs.items():
        for count in (1, 4, 6, 12):
            reach = [0.0, 0.0]
            for _ in range(2):  # the difference itself adds flips: the reach is read off data that have it
                printed = [_printed_reach(sizes, churn, spread, count, reach[1], generator) for _ in range(pilots)]
                reach = [
                    reach[0] or float(np.mean([one for one, _ in printed])),
                    float(np.mean([two for _, two in printed])),
                ]
            shown = [_shown(sizes, churn, spread, count, reach, generator) for _ in range(simulations)]
            yield Row(
                "E6 detectable",
                f"{name}, family of {count}: shown",
                share([one for one, _ in shown]),
                share([two for _, two in shown]),
                "77 to 83",
            )


def _printed_reach(
    sizes: Sequence[int], churn: float, spread: float, count: int, effect: float, generator: np.random.Generator
) -> tuple[float, float]:
    columns = _one_gains(sizes, churn, spread, count, effect, generator)
    family = family_of(columns, labels(sizes), planned=count, generator=generator, draws=DRAWS)
    reach = new(columns[:, 0], labels(sizes)).detectable(family.tail)
    return min(1.0, old(columns[:, 0], labels(sizes)).detectable), (reach or 100.0) / 100


def _one_gains(
    sizes: Sequence[int], churn: float, spread: float, count: int, effect: float, generator: np.random.Generator
) -> FloatArray:
    """The first of `count` variants gains `effect`, the others nothing."""
    effects = [effect, *([0.0] * (count - 1))]
    return np.column_stack(
        [turned(generator.normal(one, spread, len(sizes)), churn, sizes, generator) for one in effects]
    )


def _shown(
    sizes: Sequence[int],
    churn: float,
    spread: float,
    count: int,
    reach: Sequence[float],
    generator: np.random.Generator,
) -> tuple[bool, bool]:
    decided = [
        rule(_one_gains(sizes, churn, spread, count, effect, generator), labels(sizes), generator)[0]
        for rule, effect in zip((_old_shown, _new_shown), reach, strict=True)
    ]
    return decided[0], decided[1]


def _old_shown(columns: FloatArray, groups: Labels, generator: np.random.Generator) -> list[bool]:
    singles = [old(column, groups) for column in columns.T]
    adjusted = holm([single.p_value for single in singles])
    return [p < 0.05 and one.mean > 0 for p, one in zip(adjusted, singles, strict=True)]


def _new_shown(
    columns: FloatArray, groups: Labels, generator: np.random.Generator, planned: int | None = None
) -> list[bool]:
    if not are_a_sample(groups):
        return [False] * columns.shape[1]
    family = family_of(columns, groups, planned=planned or columns.shape[1], generator=generator, draws=DRAWS)
    return [new(column, groups).low(family.tail) > 0 for column in columns.T]


def many_at_the_margin(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E7: every variant loses exactly the margin; at least one loss is called ruled out. And nothing gained: shown."""
    groups = labels(MMLU_100)
    for count in (1, 3, 6, 12):
        before, after = [], []
        for _ in range(max(200, simulations // 2)):
            columns = np.column_stack([turned(np.full(57, -0.01), 0.06, MMLU_100, generator) for _ in range(count)])
            family = family_of(columns, groups, planned=count, generator=generator, draws=DRAWS)
            before.append(any(old(column, groups).rules_out(0.01) for column in columns.T))
            after.append(any(new(column, groups).low(family.tail) > -1.0 for column in columns.T))
        yield Row("E7 family, losses", f"{count} variants, any false ruled out", share(before), share(after), "<= 6")
    for kind in ("unrelated", "scales of one adapter"):
        for count in (1, 3, 6, 12):
            before, after = [], []
            for _ in range(max(200, simulations // 2)):
                columns = null_family(count, kind, generator)
                before.append(any(_old_shown(columns, labels(SPIDER), generator)))
                after.append(any(_new_shown(columns, labels(SPIDER), generator)))
            yield Row("E7 family, gains", f"{count} {kind}, any false gain", share(before), share(after), "<= 5")


def null_family(count: int, kind: str, generator: np.random.Generator) -> FloatArray:
    """(questions, count) over Spider's databases, no gain on average, database effects of 6 points."""
    if kind == "unrelated":
        return np.column_stack([turned(generator.normal(0, 0.06, 20), 0.15, SPIDER, generator) for _ in range(count)])
    scale = np.linspace(0.3, 1.0, count) if count > 1 else np.ones(1)
    shift = np.repeat(generator.normal(0, 0.06, 20), SPIDER)[:, None] * scale
    draw = generator.random((sum(SPIDER), 1))
    right, wrong = 0.08 * scale + np.maximum(shift, 0), 0.08 * scale + np.maximum(-shift, 0)
    return np.where(draw < wrong, -1.0, np.where(draw > 1 - right, 1.0, 0.0))


def deleted(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E8: of six variants that gain nothing, all but the best folder are deleted before comparing."""
    before, after = [], []
    for _ in range(simulations):
        columns = null_family(6, "unrelated", generator)
        best = columns[:, [int(columns.mean(axis=0).argmax())]]
        before.append(_old_shown(best, labels(SPIDER), generator)[0])
        after.append(_new_shown(best, labels(SPIDER), generator, planned=6)[0])
    yield Row("E8 deleted variants", "5 of 6 deleted, false gain", share(before), share(after), "<= 5")


def the_pick(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E9: twelve variants gain 10 points in truth, each in other databases; coverage of the interval quoted."""
    groups = np.array(labels(SPIDER))
    for spread in (0.0, 0.05, 0.10, 0.20):
        before, after = [], []
        for _ in range(max(200, simulations // 2)):
            rates = generator.normal(0.10, spread, (20, 12))
            columns = np.column_stack([turned(rate, 0.2, SPIDER, generator) for rate in rates.T])
            half = generator.random(len(groups)) < 0.5
            best = int(columns[half].mean(axis=0).argmax())
            judged = old(columns[~half, best], groups[~half].tolist())
            width = float(stats.t.ppf(0.975, judged.freedom)) * judged.error
            before.append(abs(judged.mean - 0.10) <= width)
            family = family_of(columns, groups.tolist(), planned=12, generator=generator, draws=DRAWS)
            picked = new(columns[:, int(columns.mean(axis=0).argmax())], groups.tolist())
            after.append(10.0 in picked.interval(family.tail))
        yield Row(
            "E9 the pick", f"12 variants, effects of {100 * spread:.0f}: coverage", share(before), share(after), ">= 93"
        )


def giant(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E10: one database holds nearly all questions; databases gain nothing on average."""
    for singles in (3, 10, 20, 50):
        for intraclass in (0.1, 0.3):
            sizes = (500, *([1] * singles))
            before, after = [], []
            for _ in range(simulations):
                rates = generator.normal(0, (0.2 * intraclass) ** 0.5, len(sizes))
                one = turned(rates, 0.2, sizes, generator)
                before.append(old(one, labels(sizes)).p_value < 0.05)
                after.append(_new_shown(one[:, None], labels(sizes), generator)[0])
            setting = f"500 + {singles} x 1, intraclass {intraclass}: false difference"
            yield Row("E10 giant cluster", setting, share(before), share(after), "<= 5")
    for sizes in ((100, 100, 1, 1, 1), (200, 100, 50, 1, 1), (250, 60, 40, 30, 20, 10)):
        before, after = [], []
        for _ in range(simulations):
            one = turned(generator.normal(0, 0.2, len(sizes)), 0.2, sizes, generator)
            before.append(old(one, labels(sizes)).p_value < 0.05)
            after.append(new(one, labels(sizes)).p_two_sided() < 0.05)
        setting = f"{' + '.join(map(str, sizes))}: false difference"
        yield Row("E10 lopsided", setting, share(before), share(after), "<= 5")


def sparse(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E11: the loss of exactly 1 point sits in few subjects; and a gain of 0 in which few databases lose all."""
    for name, sizes in (("20 databases", SPIDER), ("57 x 100", MMLU_100), ("57 x 246", MMLU)):
        for part in (1.0, 0.10, 0.05, 0.03):
            before, after = [], []
            for _ in range(simulations if len(sizes) == 20 else simulations // 2):
                rates: FloatArray = -0.01 / part * (generator.random(len(sizes)) < part).astype(np.float64)
                one = turned(rates, 0.06, sizes, generator)
                before.append(old(one, labels(sizes)).rules_out(0.01))
                after.append(new(one, labels(sizes)).low(0.025) > -1.0)
            setting = f"{name}, {100 * part:.0f} % lose {1 / part:.0f}: false ruled out"
            yield Row("E11 sparse loss", setting, share(before), share(after), "<= 6" if part == 1 else "")
    yield from _by_subject(simulations, generator)
    before, after = [], []
    for _ in range(simulations):
        rates = np.where(generator.random(20) < 0.05, -0.57, 0.03).astype(np.float64)
        one = turned(rates, 0.06, SPIDER, generator)
        before.append(old(one, labels(SPIDER)).low(0.025) > 0)
        after.append(new(one, labels(SPIDER)).low(0.025) > 0)
    yield Row(
        "E11 sparse harm", "5 % of 20 databases lose 57, rest gain 3: false gain", share(before), share(after), ""
    )


def _by_subject(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E11: every subject with an interval of its own, each alone before, all together now."""
    for name, sizes in (("57 x 100", MMLU_100), ("57 x 20", (20,) * 57)):
        for part in (0.0, 0.05, 0.03):
            before, after, seen = [], [], []
            for _ in range(max(100, simulations // 5)):
                rates = np.zeros(57)
                rates[: round(57 * part)] = -0.01 / part if part else 0.0
                one = turned(rates, 0.06, sizes, generator).reshape(57, -1)
                gained, lost = (one > 0).sum(axis=1), (one < 0).sum(axis=1)
                alone = [bonett_price(int(up), int(down), one.shape[1])
                         for up, down in zip(gained, lost, strict=True)]  # fmt: skip
                together = [new(row, None).interval(0.025 / 57) for row in one]
                truth = 100 * rates
                before.append(any(not item.low <= at <= item.high for item, at in zip(alone, truth, strict=True)))
                after.append(any(not item.low <= at <= item.high for item, at in zip(together, truth, strict=True)))
                seen.append(min(item.high for item in together) < 0)
            setting = f"{name}, {100 * part:.0f} % lose {1 / part if part else 0:.0f}: "
            yield Row("E11 by subject", f"{setting}any interval misses", share(before), share(after), "<= 5")
            if part:
                yield Row("E11 by subject", f"{setting}a subject's loss is shown", None, share(seen), "")


def shared_references(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E12: one database, 100 questions with 51 references; questions of one reference turn together."""
    references = np.concatenate([np.arange(51), np.arange(49)])
    before, after = [], []
    for _ in range(2 * simulations):
        per_reference, alone = flips(0.15, 0.15, generator, 51), flips(0.15, 0.15, generator, 100)
        one = np.where(generator.random(100) < 0.8, per_reference[references], alone)
        before.append(old(one, None).low(0.025) > 0)
        units = sampling_units(["only"] * 100, references.tolist())
        after.append(new(one, units).low(0.025) > 0)
    yield Row("E12 shared reference", "100 questions, 51 references: false gain", share(before), share(after), "<= 5")


def promised_power(simulations: int, generator: np.random.Generator) -> Iterator[Row]:
    """E13: what `paretune power` promises as 80 %, with Spider's sizes; the share that the decision reaches."""
    for family in (1, 6):
        for churn, intraclass in ((0.2, 0.02), (0.3, 0.02), (0.3, 0.05), (0.4, 0.05)):
            plan = Plan(churn, family=family, clustering=Clustering.of(SPIDER, intraclass))
            simple = Plan(churn, clustering=Clustering(20, intraclass))
            reach = [_effect_of_power(1034, one) for one in (simple, plan)]
            shown = []
            for effect in reach:
                hits = []
                for _ in range(simulations):
                    rates = _bounded(effect, intraclass, churn, 20, generator)
                    one = _with_discordant(rates, churn, SPIDER, generator)
                    hits.append(new(one, labels(SPIDER)).low(0.025 / family) > 0)
                shown.append(share(hits))
            setting = f"{100 * churn:.0f} % differ, intraclass {intraclass}, family of {family}: shown, 80 promised"
            yield Row("E13 power", setting, shown[0], shown[1], "77 to 83")
    plan = Plan(0.1)
    questions = questions_needed(2.0, plan)
    for what, planted in (("gain", 0.02), ("loss", -0.02)):
        found = []
        for _ in range(simulations):
            estimate = new(_with_discordant(np.array([planted]), 0.1, (questions,), generator), None)
            found.append(finding(estimate.interval(0.025)) == f"{what} shown")
        setting = f"planted {what} of 2 points, {questions} questions: shown, 80 promised"
        yield Row("E13 power", setting, None, share(found), "77 to 83")
    hits = [
        loss_test(new(turned(np.zeros(1), 0.1, (6183,), generator), None), 1.0).verdict == "ruled out"
        for _ in range(max(200, simulations // 2))
    ]
    promised = 100 * power_to_rule_out(6183, 1.0, plan)
    yield Row("E13 power", f"rule out 1 point with 6183 questions, {promised:.0f} promised", None, share(hits), "+- 3")


def _effect_of_power(questions: int, plan: Plan) -> float:
    """The effect (a share) that the plan promises to show with its power."""
    effects = np.linspace(0.5, 60, 600)
    return float(next(effect for effect in effects if power_to_show(questions, effect, plan) >= plan.power)) / 100


def _bounded(
    effect: float, intraclass: float, discordant: float, clusters: int, generator: np.random.Generator
) -> FloatArray:
    """(clusters,) effects within what `discordant` allows, of this mean and the variance of this intraclass."""
    mean = (effect / discordant + 1) / 2
    variance = intraclass * discordant / (4 * discordant**2)
    weight = mean * (1 - mean) / variance - 1
    return discordant * (2 * generator.beta(mean * weight, (1 - mean) * weight, clusters) - 1)


def _with_discordant(
    rates: FloatArray, discordant: float, sizes: Sequence[int], generator: np.random.Generator
) -> FloatArray:
    """Flips in which a share `discordant` differs and clusters differ by `rates`."""
    each = np.repeat(rates, sizes)
    return flips((discordant + each) / 2, (discordant - each) / 2, generator, len(each))


ROWS: dict[str, Callable[[int, np.random.Generator], Iterator[Row]]] = {
    "best seed": best_seed,
    "other suite": other_suite,
    "near chance": insensitive,
    "few flips": few_flips,
    "two verdicts": half_against_whole,
    "detectable": detectable,
    "family": many_at_the_margin,
    "deleted": deleted,
    "pick": the_pick,
    "giant": giant,
    "sparse": sparse,
    "references": shared_references,
    "power": promised_power,
}


def measure(simulations: int, generator: np.random.Generator, only: str | None = None) -> None:
    """Print every row, or those of one case."""
    print(f"{'case':22} {'setting':66} {'before':>7} {'after':>7}  wanted")
    for name, rows in ROWS.items():
        if only in (None, name):
            for row in rows(simulations, generator):
                before = "" if row.before is None else f"{row.before:.1f}"
                print(f"{row.case:22} {row.setting:66} {before:>7} {row.after:7.1f}  {row.wanted}", flush=True)
