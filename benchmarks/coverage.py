"""Does a 95 % interval hold the truth 95 times in 100?

Simulates answers in clusters whose true rates are known and counts how often each interval holds the truth, and how
often each test rejects a true null. Clusters: the 20 sizes of Spider's dev databases, 57 subjects, and 3, 4 and 6
databases as in small experiments. A cluster's rate of being right, of turning right and of turning wrong are drawn
from beta distributions with the named intraclass correlation.

benchmarks/claims.py has the claims made from these figures.

Run: python -m benchmarks.coverage [--simulations 1000] [--seed 0] [--only "20 databases"]; the 20 databases take
about 4 minutes on one core, all of it about 15. The mark points out what lies outside 93 to 97: at 1000 simulations the
counts themselves are known to 0.7 points. Ratios refused in most simulations are held against the rest only.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks import claims
from paretune.errors import UndefinedFigure
from paretune.stats.claims import loss_test
from paretune.stats.clusters import joint_bootstrap, sum_by_cluster
from paretune.stats.intervals import Interval, accuracy_interval, bootstrap_interval, macro_interval
from paretune.stats.paired import paired_difference
from paretune.stats.tradeoff import (
    expanded_percentiles,
    loss_at_matched_gain,
    matched_loss_interval,
    points_lost_per_point_gained,
    retention,
)

SIZES = {
    "20 databases": (4, 15, 16, 18, 30, 30, 38, 40, 40, 42, 45, 56, 62, 62, 78, 80, 82, 84, 92, 120),
    "57 subjects": tuple([100] * 40 + [150, 200, 250, 300, 350, 400] * 2 + [600, 800, 900, 1000, 1500]),
    "6 databases": (5, 10, 20, 25, 30, 40),
    "4 databases": (25, 30, 30, 35),
    "3 databases": (30, 40, 50),
}
REPLICATES = 1000
Answers = npt.NDArray[np.bool_]
Coverage = dict[str, list[tuple[bool, float]]]


@dataclass(frozen=True)
class World:
    """True rates: right before, turning right when wrong before, turning wrong when right before."""

    base: float
    gain: float
    loss: float
    intraclass: float

    @property
    def tuned(self) -> float:
        return self.base + self.difference

    @property
    def difference(self) -> float:
        return (1 - self.base) * self.gain - self.base * self.loss


WORLDS = (
    World(0.48, 0.45, 0.10, 0.0),
    World(0.48, 0.45, 0.10, 0.05),
    World(0.63, 0.40, 0.06, 0.10),
    World(0.63, 0.40, 0.06, 0.20),
    World(0.09, 0.15, 0.20, 0.05),
    World(0.90, 0.30, 0.05, 0.05),
)
NULL = World(0.60, 0.15, 0.10, 0.10)  # gains and losses cancel: 0.4 * 0.15 = 0.6 * 0.10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=(*SIZES, "tests", "derived", "claims"))
    parser.add_argument("--row", choices=tuple(claims.ROWS), help="one case of the claims")
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    if arguments.only in (None, "claims") or arguments.row:
        claims.measure(arguments.simulations, generator, arguments.row)
    if arguments.row:
        return
    for name, sizes in SIZES.items():
        for world in WORLDS if arguments.only in (None, name) else ():
            found: Coverage = defaultdict(list)
            for _ in range(arguments.simulations if len(sizes) < 50 else arguments.simulations // 4):
                intervals_of_one(sizes, world, generator, found)
            print_coverage(f"{name}, base {world.base:.2f}, intraclass {world.intraclass:.2f}", found)
    if arguments.only in (None, "tests"):
        for name in ("20 databases", "6 databases", "4 databases"):
            rejections(name, arguments.simulations, generator)
    if arguments.only in (None, "derived"):
        derived(max(200, arguments.simulations // 4), generator)


def simulate(sizes: tuple[int, ...], world: World, generator: np.random.Generator) -> tuple[Answers, Answers]:
    """(questions,) right before, right after."""
    repeat = np.asarray(sizes)
    base, gain, loss = (np.repeat(rates, repeat) for rates in cluster_rates(world, len(sizes), generator))
    before = generator.random(repeat.sum()) < base
    turned = generator.random(repeat.sum()) < np.where(before, loss, gain)
    return before, before ^ turned


def cluster_rates(world: World, groups: int, generator: np.random.Generator) -> Iterator[npt.NDArray[np.float64]]:
    """(groups,) rates of being right, of turning right and of turning wrong."""
    for rate in (world.base, world.gain, world.loss):
        if world.intraclass == 0:
            yield np.full(groups, rate)
        else:
            weight = (1 - world.intraclass) / world.intraclass
            yield generator.beta(rate * weight, (1 - rate) * weight, groups)


def labels(sizes: tuple[int, ...]) -> list[int]:
    return np.repeat(np.arange(len(sizes)), sizes).tolist()


def intervals_of_one(sizes: tuple[int, ...], world: World, generator: np.random.Generator, found: Coverage) -> None:
    clusters = labels(sizes)
    before, after = simulate(sizes, world, generator)
    base = 100 * world.base
    note(found, "accuracy, as used", accuracy_interval(before, clusters), base)
    note(found, "accuracy, Wilson (no clusters)", accuracy_interval(before, clusters, method="wilson"), base)
    note(found, "accuracy, plain t, G - 1", plain_t(before, clusters), base)
    if len(sizes) >= 8:
        bootstrap = bootstrap_interval(before, clusters, generator=generator, replicates=REPLICATES)
        note(found, "accuracy, bootstrap-t", bootstrap, base)
        drawn = 100 * joint_bootstrap(before, clusters, generator=generator, replicates=REPLICATES)
        note(found, "accuracy, percentile (not used)", limits(np.quantile(drawn, [0.025, 0.975])), base)
        note(found, "accuracy, expanded percentile", limits(expanded_percentiles(drawn, 0.95, 11)), base)
    note(found, "macro average", macro_interval(before, clusters), base)
    paired = paired_difference(before, after, clusters, generator=generator, replicates=REPLICATES)
    note(found, "difference, t", paired.t, 100 * world.difference)
    if len(sizes) >= 8:
        note(found, "difference, bootstrap-t", paired.bootstrap, 100 * world.difference)
    if world.base < 0.25:
        return
    try:
        kept = retention(before, after, 0.25, clusters)
        note(found, "retention, Fieller", kept, 100 * (world.tuned - 0.25) / (world.base - 0.25))
    except UndefinedFigure:
        found["retention refused"].append((True, 0.0))
    general = World(0.60, 0.06, 0.08, 0.02)
    other = SIZES["20 databases"] if len(sizes) < 50 else sizes
    second = paired_difference(*simulate(other, general, generator), labels(other), generator=generator, replicates=2)
    try:
        price = points_lost_per_point_gained(paired, second)
        note(found, "lost per point gained, Fieller", price, -general.difference / world.difference)
    except UndefinedFigure:
        found["price refused"].append((True, 0.0))


def plain_t(correct: Answers, clusters: list[int]) -> Interval:
    total = sum_by_cluster(correct, clusters)
    groups, mean = len(total.sizes), float(correct.mean())
    residuals = total.sums[:, 0] - mean * total.sizes
    error = (float((residuals**2).sum()) * groups / (groups - 1)) ** 0.5 / total.questions
    half = float(stats.t.ppf(0.975, groups - 1)) * error
    return limits((100 * (mean - half), 100 * (mean + half)))


def limits(pair: npt.NDArray[np.float64] | tuple[float, float]) -> Interval:
    return Interval(float("nan"), float(pair[0]), float(pair[1]), 0.95, 0, 0, "")


def note(found: Coverage, name: str, interval: Interval, truth: float) -> None:
    found[name].append((truth in interval, interval.high - interval.low))


def print_coverage(title: str, found: Coverage) -> None:
    print(f"\n{title}")
    for name, results in found.items():
        held, width = np.mean([hit for hit, _ in results]), np.mean([width for _, width in results])
        if "refused" in name:
            print(f"  {name:34} {len(results)} times")
        else:
            mark = "" if 0.93 <= held <= 0.97 else "  <- outside 93 to 97"
            print(f"  {name:34} {100 * held:5.1f} %   mean width {width:7.2f}{mark}")


def rejections(name: str, simulations: int, generator: np.random.Generator) -> None:
    """How often tests at 5 % reject a true null, and how often a false claim of non-inferiority is shown."""
    sizes = SIZES[name]
    clusters = labels(sizes)
    counts: dict[str, int] = defaultdict(int)
    for _ in range(simulations):
        found = paired_difference(
            *simulate(sizes, NULL, generator), clusters, generator=generator, replicates=REPLICATES
        )
        counts["t over clusters"] += found.t_p < 0.05
        counts["permutation of clusters"] += found.permutation_p < 0.05
        counts["McNemar (no clusters)"] += found.mcnemar_p < 0.05
        worse = World(0.60, 0.10, 0.10, 0.05)  # loses exactly 2 points
        at_margin = paired_difference(*simulate(sizes, worse, generator), clusters, generator=generator, replicates=2)
        counts["loss of exactly the margin ruled out"] += loss_test(at_margin.estimate, 2.0).verdict == "ruled out"
    print(f"\n{name}: false rejections at 5 %, intraclass {NULL.intraclass:.2f}")
    for test, count in counts.items():
        print(f"  {test:36} {100 * count / simulations:5.1f} %")


def derived(simulations: int, generator: np.random.Generator) -> None:
    """Coverage of the loss at a matched gain along a curve of three scales (expanded percentile bootstrap)."""
    sizes, scales = SIZES["20 databases"], (0.25, 0.5, 1.0)
    found: Coverage = defaultdict(list)
    target, general = World(0.5, 0.5, 0.04, 0.05), World(0.6, 0.06, 0.12, 0.02)
    truth = curve_truth(target, general, scales, gain=12.0)
    for _ in range(simulations):
        gains, kept = (np.column_stack(list(curve(sizes, world, scales, generator))) for world in (target, general))
        clusters = labels(sizes)
        drawn = [
            100 * joint_bootstrap(axis, clusters, generator=generator, replicates=REPLICATES) for axis in (gains, kept)
        ]
        try:
            interval = matched_loss_interval(drawn[0], drawn[1], 12.0, truth, freedom=11)
            note(found, "loss at matched gain", interval, truth)
        except UndefinedFigure:
            found["matched gain refused"].append((True, 0.0))
    print_coverage("20 databases, curve of 3 scales", found)


def curve(
    sizes: tuple[int, ...], world: World, scales: tuple[float, ...], generator: np.random.Generator
) -> Iterator[Answers]:
    """The baseline, then each scale: questions turn in one order, the loss as the square of the scale."""
    repeat = np.asarray(sizes)
    base, gain, loss = (np.repeat(rates, repeat) for rates in cluster_rates(world, len(sizes), generator))
    before, draw = generator.random(repeat.sum()) < base, generator.random(repeat.sum())
    yield before
    for scale in scales:
        yield before ^ (draw < np.where(before, loss * scale**2, gain * scale))


def curve_truth(target: World, general: World, scales: tuple[float, ...], gain: float) -> float:
    gains, losses = (
        [100 * ((1 - world.base) * world.gain * scale - world.base * world.loss * scale**2) for scale in scales]
        for world in (target, general)
    )
    return loss_at_matched_gain(gains, [-loss for loss in losses], gain)


if __name__ == "__main__":
    main()
