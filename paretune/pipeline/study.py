"""The search itself, without a model: which recipe to look at next, from the gain and the loss of those before.

Optuna's study lies in a journal file, to which lines are appended: a killed search goes on with the recipe that it was
at. Every scale of a training is a trial of its own, since it says something about the others; only the first of them
costs a training.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from paretune.errors import ConfigError
from paretune.space import Range, SearchConfig, Values

Sampler = Literal["tpe", "nsga2", "random"]
SAMPLER: Sampler = "tpe"  # benchmarks/search.py measures all of them
_SCALE = "adapter scale"  # no training key is called so
_STARTUP = 6  # trainings at random before the sampler learns


@dataclass(frozen=True, slots=True)
class Look:
    """One state of the model that was looked at. training: number of its training; gain, loss: in points on the
    validation questions, the loss that of the worst suite; record: the answers, as one JSON value."""

    training: int
    recipe: Mapping[str, Any]
    scale: float
    gain: float
    loss: float
    record: Any = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{training_name(self.training)}@{self.scale:g}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recipe to be trained. training: its number, also after a kill."""

    training: int
    recipe: Mapping[str, Any]


def training_name(training: int) -> str:
    """The folder of a training of the search.

    >>> training_name(7)
    'trial-007'
    """
    return f"trial-{training:03}"


def candidate_name(number: int, seed: int) -> str:
    """The variant that trains a candidate anew; number: from 1.

    >>> candidate_name(1, 42)
    'search-1-seed-42'
    """
    return f"search-{number}-seed-{seed}"


class Study:
    """Proposes recipes and remembers what came of them. journal: the file; None keeps nothing.

    Raises ConfigError where Optuna is missing.
    """

    def __init__(
        self, config: SearchConfig, budget_points: float, journal: Path | None, seed: int, sampler: Sampler = SAMPLER
    ) -> None:
        if importlib.util.find_spec("optuna") is None:
            raise ConfigError('paretune search needs Optuna: pip install ".[search]"')
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._config, self._budget = optuna, config, budget_points
        storage = None
        if journal is not None:
            journal.parent.mkdir(parents=True, exist_ok=True)
            backend = optuna.storages.journal.JournalFileBackend(str(journal))
            storage = optuna.storages.JournalStorage(backend)
        self._study = optuna.create_study(
            storage=storage, study_name="search", directions=["maximize", "minimize"], load_if_exists=True
        )
        done = len(self._study.get_trials(deepcopy=False))
        with warnings.catch_warnings(category=optuna.exceptions.ExperimentalWarning, action="ignore"):
            startup = _STARTUP * len(config.scales)
            self._study.sampler = _sampler(optuna, sampler, seed + done, startup)
        self._distributions = {key: _distribution(optuna, values) for key, values in config.space.items()}
        if len(config.scales) > 1:
            self._distributions[_SCALE] = optuna.distributions.IntDistribution(0, len(config.scales) - 1)

    @property
    def looks(self) -> list[Look]:
        """Every state that was looked at, in order."""
        return [self._look(trial) for trial in self._trials("COMPLETE")]

    @property
    def dropped(self) -> dict[int, str]:
        """Trainings that came to nothing, with the reason."""
        return {trial.user_attrs["training"]: trial.user_attrs["reason"] for trial in self._trials("FAIL")}

    @property
    def is_new(self) -> bool:
        """Whether nothing was proposed or suggested yet."""
        return not self._study.get_trials(deepcopy=False)

    def suggest(self, recipe: Mapping[str, Any]) -> bool:
        """Propose this recipe before others. False where it lies outside the space."""
        values = {key: recipe[key] for key in self._config.space if key in recipe}
        inside = len(values) == len(self._config.space) and all(
            value in self._config.space[key] for key, value in values.items()
        )
        if inside:
            self._study.enqueue_trial(self._params(values, max(self._config.scales)), skip_if_exists=True)
        return inside

    def propose(self) -> Proposal:
        """The next recipe: first one that was being trained when the search was killed."""
        begun = self._trials("RUNNING")
        trial = begun[0] if begun else self._study.ask(self._distributions)
        if "training" not in trial.user_attrs:
            number = len({item.user_attrs.get("training") for item in self._trials("COMPLETE", "FAIL")})
            self._live(trial).set_user_attr("training", number)
        else:
            number = trial.user_attrs["training"]
        return Proposal(number, self._recipe(trial.params))

    def tell(self, proposal: Proposal, results: Mapping[float, tuple[float, float, Any]]) -> None:
        """What came of a recipe, by scale: gain, loss and the answers."""
        trial = self._running(proposal)
        told = self._config.scales[trial.params.get(_SCALE, 0)]
        for scale in sorted(results, key=lambda scale: scale == told):  # the running one last: until then, it goes on
            gain, loss, record = results[scale]
            attributes = {"training": proposal.training, "scale": scale, "record": record}
            if scale == told:
                live = self._live(trial)
                for key, value in attributes.items():
                    live.set_user_attr(key, value)
                live.set_constraint("loss", loss - self._budget)
                self._study.tell(live, [gain, loss])
                continue
            if any(look.training == proposal.training and look.scale == scale for look in self.looks):
                continue  # told before a kill
            params = {**trial.params, _SCALE: self._config.scales.index(scale)}
            self._study.add_trial(
                self._optuna.trial.create_trial(
                    params=params, distributions=self._distributions, values=[gain, loss],
                    constraints={"loss": loss - self._budget}, user_attrs=attributes,
                )
            )  # fmt: skip

    def drop(self, proposal: Proposal, reason: str) -> None:
        """A training that came to nothing, or was stopped as hopeless."""
        live = self._live(self._running(proposal))
        live.set_user_attr("training", proposal.training)
        live.set_user_attr("reason", reason)
        self._study.tell(live, state=self._optuna.trial.TrialState.FAIL)

    def _params(self, recipe: Mapping[str, Any], scale: float) -> dict[str, Any]:
        """A recipe and a scale as Optuna has them: of a list the place, which keeps the order of numbers."""
        params = {
            key: value if isinstance(space := self._config.space[key], Range) else space.index(value)
            for key, value in recipe.items()
        }
        return params | ({_SCALE: self._config.scales.index(scale)} if _SCALE in self._distributions else {})

    def _recipe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: params[key] if isinstance(space, Range) else space[params[key]]
            for key, space in self._config.space.items()
        }

    def _look(self, trial: Any) -> Look:
        kept, (gain, loss) = trial.user_attrs, trial.values
        return Look(kept["training"], self._recipe(trial.params), kept["scale"], gain, loss, kept["record"])

    def _running(self, proposal: Proposal) -> Any:
        return next(item for item in self._trials("RUNNING") if item.user_attrs["training"] == proposal.training)

    def _live(self, trial: Any) -> Any:
        """A trial that runs, also one that an earlier process began."""
        return self._optuna.trial.Trial(self._study, trial._trial_id)

    def _trials(self, *states: str) -> list[Any]:
        wanted = [self._optuna.trial.TrialState[state] for state in states]
        return list(self._study.get_trials(deepcopy=False, states=wanted))


def front(looks: Sequence[Look]) -> list[Look]:
    """Those that no other beats in gain and loss, by gain.

    >>> looks = [Look(0, {}, 1.0, 9.0, 3.0), Look(1, {}, 1.0, 5.0, 1.0), Look(2, {}, 1.0, 4.0, 2.0)]
    >>> [look.gain for look in front(looks)]
    [5.0, 9.0]
    """
    best: list[Look] = []
    for look in sorted(looks, key=lambda look: (look.loss, -look.gain)):
        if not best or look.gain > best[-1].gain:
            best.append(look)
    return best


def candidates(looks: Sequence[Look], budget_points: float, count: int) -> list[Look]:
    """Those to be judged on the test: of the front, the largest gains within the budget, one scale per recipe; where
    none is within it, the smallest loss."""
    best = front([look for look in looks if look.gain > 0]) or front(looks)
    within = [look for look in reversed(best) if look.loss <= budget_points] or best[:1]
    chosen: dict[int, Look] = {}
    for look in within:
        chosen.setdefault(look.training, look)
    return list(chosen.values())[:count]


def _distribution(optuna: Any, values: Values) -> Any:
    if not isinstance(values, Range):
        places = range(len(values))
        ordered = all(isinstance(value, int | float) for value in values)
        return (
            optuna.distributions.IntDistribution(0, len(values) - 1)
            if ordered
            else optuna.distributions.CategoricalDistribution(places)
        )
    if values.is_whole:
        return optuna.distributions.IntDistribution(int(values.low), int(values.high), log=values.log)
    return optuna.distributions.FloatDistribution(float(values.low), float(values.high), log=values.log)


def _sampler(optuna: Any, name: Sampler, seed: int, startup: int) -> Any:
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)
    if name == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=startup)
    return optuna.samplers.RandomSampler(seed=seed)
