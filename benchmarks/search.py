"""How much of a known front the search finds in so many trials, beside random search and a grid.

    python -m benchmarks.search [--trials 40] [--seeds 20]

The objective is simulated: a dose (learning rate times scale) gains and costs, and epochs, rank and method that do not
suit gain less and cost more. The front is known: all that suits, at every dose within the budget. Counted is the area
that the trials dominate within the budget, as a share of the front's. A trial is a training, looked at at every scale.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Sequence
from itertools import product
from statistics import median
from typing import Any

from paretune.pipeline.study import Look, Study, front
from paretune.space import Range, SearchConfig

BUDGET = 6.0
SCALES = (0.25, 0.5, 0.75, 1.0)
SPACE = SearchConfig(
    {
        "peak_learning_rate": Range(1e-5, 1e-2, log=True),
        "epochs": Range(0.5, 3.0),
        "rank": (4, 8, 16, 32),
        "method": ("lora", "pissa", "oft"),
    },
    SCALES,
)


def simulated(recipe: dict[str, Any], scale: float) -> tuple[float, float]:
    """Gain and loss in points of a recipe at a scale."""
    dose = scale * (math.log10(recipe["peak_learning_rate"]) + 5.0)  # 0 to 3
    unsuitable = ((recipe["epochs"] - 2.0) / 2.5) ** 2 + ((math.log2(recipe["rank"]) - 4.0) / 3.0) ** 2
    unsuitable += {"lora": 0.0, "pissa": 0.1, "oft": 0.3}[recipe["method"]]
    return 30 * (1 - math.exp(-dose)) * max(0.0, 1 - 2 * unsuitable), 2 * dose**2 + 8 * unsuitable


def front_area(steps: int = 20_000) -> float:
    """The area that the true front dominates within the budget: the best gain at each loss."""
    total = 0.0
    for step in range(steps):
        loss = BUDGET * (step + 0.5) / steps
        total += 30 * (1 - math.exp(-math.sqrt(loss / 2)))
    return total * BUDGET / steps


def area(looks: Sequence[Look]) -> float:
    """The area that these dominate within the budget, above no gain."""
    total, best = 0.0, front([look for look in looks if look.loss <= BUDGET and look.gain > 0])
    for place, look in enumerate(best):
        after = best[place + 1].loss if place + 1 < len(best) else BUDGET
        total += look.gain * (after - look.loss)
    return total


def by_study(sampler: Any) -> Callable[[int, int, float], list[Look]]:
    """The search with a sampler; what it sees has noise, what is counted has none."""

    def search(trials: int, seed: int, noise: float) -> list[Look]:
        study, draw = Study(SPACE, BUDGET, None, seed, sampler), random.Random(seed)
        for _ in range(trials):
            proposal = study.propose()
            seen = {scale: simulated(dict(proposal.recipe), scale) for scale in SCALES}
            study.tell(
                proposal,
                {scale: (gain + draw.gauss(0, noise), loss + draw.gauss(0, noise), None)
                 for scale, (gain, loss) in seen.items()},
            )  # fmt: skip
        return [
            Look(look.training, look.recipe, look.scale, *simulated(dict(look.recipe), look.scale))
            for look in study.looks
        ]

    return search


def by_grid(trials: int, seed: int, noise: float) -> list[Look]:
    """As many trainings of an even grid as there are trials for, in random order."""
    rates, epochs = (1e-5, 10**-3.5, 1e-2), (0.5, 1.75, 3.0)
    cells = list(product(rates, epochs, (4, 8, 16, 32), ("lora", "pissa", "oft")))
    random.Random(seed).shuffle(cells)
    looks = []
    for place, (rate, length, rank, method) in enumerate(cells[:trials]):
        recipe = {"peak_learning_rate": rate, "epochs": length, "rank": rank, "method": method}
        looks += [Look(place, recipe, scale, *simulated(recipe, scale)) for scale in SCALES]
    return looks


WAYS: dict[str, Callable[[int, int, float], list[Look]]] = {
    **{name: by_study(name) for name in ("tpe", "nsga2", "random")},
    "grid": by_grid,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--noise", type=float, nargs="*", default=[0.0, 1.0], help="standard deviation, in points")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    arguments = parser.parse_args()
    whole = front_area()
    print(f"share of the front's area in {arguments.trials} trials, median (least) of {arguments.seeds} seeds")
    for noise in arguments.noise:
        for name in arguments.ways:
            begun = time.process_time()
            shares = [100 * area(WAYS[name](arguments.trials, seed, noise)) / whole for seed in range(arguments.seeds)]
            seconds = (time.process_time() - begun) / arguments.seeds
            figures = f"{median(shares):5.1f} % ({min(shares):.1f} %)"
            print(f"noise {noise:g}  {name:<7} {figures}  {seconds:.1f} s of processor time", flush=True)


if __name__ == "__main__":
    main()
