"""How long does the joint bootstrap of a whole experiment take?

12 variants x (1034 target + 14042 general) questions x 10,000 replicates, with the Pareto front's probabilities and
every variant's paired comparison. Run: python -m benchmarks.bootstrap_speed
"""

from __future__ import annotations

import time

import numpy as np

from paretune.stats.clusters import joint_bootstrap
from paretune.stats.paired import paired_difference
from paretune.stats.tradeoff import front_probability

VARIANTS, REPLICATES = 12, 10_000
AXES = {"target": (1034, 20), "general": (14042, 57)}


def main() -> None:
    generator = np.random.default_rng(0)
    answers = {name: generator.random((questions, VARIANTS)) < 0.6 for name, (questions, _) in AXES.items()}
    clusters = {name: generator.integers(0, groups, questions).tolist() for name, (questions, groups) in AXES.items()}
    start = time.perf_counter()
    drawn = {
        name: joint_bootstrap(answers[name], clusters[name], replicates=REPLICATES, generator=generator)
        for name in AXES
    }
    joint = time.perf_counter()
    front_probability(drawn["target"], drawn["general"])
    front = time.perf_counter()
    for name in AXES:
        for variant in range(1, VARIANTS):
            paired_difference(
                answers[name][:, 0], answers[name][:, variant], clusters[name], replicates=REPLICATES,
                generator=generator,
            )  # fmt: skip
    end = time.perf_counter()
    print(f"joint bootstrap, {REPLICATES} replicates: {joint - start:.2f} s")
    print(f"probability of the front: {front - joint:.2f} s")
    print(f"{2 * (VARIANTS - 1)} paired comparisons: {end - front:.2f} s")
    print(f"together: {end - start:.2f} s")


if __name__ == "__main__":
    main()
