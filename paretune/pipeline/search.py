"""`paretune search`: recipes proposed, trained and looked at on validation questions; the best judged on the test.

The search works in RUN/search with prepared files of its own and asks nothing but [validation]. What it finds
best is then a plain experiment in RUN, RUN/search/final.toml, trained anew with other seeds and judged as every run is.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import VariantConfig
from paretune.config.read import experiment_of
from paretune.config.training import recipe_keys, recipe_training
from paretune.errors import ConfigError, DataError, TrainingError
from paretune.experiment_text import toml_tables
from paretune.files import fingerprint, write_text
from paretune.methods import DEFAULT_METHOD
from paretune.pipeline.conditions import training_fingerprint
from paretune.pipeline.looked import FINAL, FOLDER, LOOKS, pick_text
from paretune.pipeline.pace import Work
from paretune.pipeline.prepare import prepare
from paretune.pipeline.session import Session, prepared_lines
from paretune.pipeline.study import Look, Proposal, Study, candidate_name, candidates, training_name
from paretune.pipeline.train import train
from paretune.pipeline.validation import StateAnswers, Validation, answer_state, read_validation
from paretune.pipeline.warm import seen_in_training, take_trained
from paretune.run.claims import terms_of
from paretune.run.folder import RunFolder
from paretune.run.jsonl import count_lines, read_lines, set_aside, write_lines

if TYPE_CHECKING:
    from paretune.analysis.results import Comparison
    from paretune.config import ExperimentConfig
    from paretune.pipeline.report import Claims
    from paretune.run.load import Run
    from paretune.space import SearchConfig

JOURNAL, PICK = "study.log", "pick.toml"
_REPEATS = 20  # proposals in a row that were trained before: then nothing new is left


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: trainings of the search, and minutes of the whole command, the last judgement included."""

    trials: int | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked at, and what of it the test is to judge."""

    looks: tuple[Look, ...]
    chosen: tuple[Look, ...]


class Search:
    """One search in the folder of an experiment. table: the experiment file as tables; runs: folders whose recipes are
    looked at first, and whose adapters are taken where they are what would be trained. Raises ConfigError without
    [search] or [validation]."""

    def __init__(self, session: Session, table: Mapping[str, Any], where: str, runs: Sequence[Path] = ()) -> None:
        self.config = _checked(session.config, where)
        self.outer, self._table, self._where = session, table, where
        self.session = Session(
            replace(session.config, variants=(), tracking=None), RunFolder(session.folder.path / FOLDER),
            session.voice, session.say, session.download,
        )  # fmt: skip
        self._terms = terms_of(session.config.claims)
        self._runs = runs
        self._warm: list[Path] = []  # of the runs, those whose adapters may be taken

    def run(self, limits: Limits) -> Searched:
        """Look at recipes until a limit is reached. The same call goes on where a former one was stopped."""
        begun = time.monotonic()
        prepare(self.session)
        validation = read_validation(self.session)
        base = self._begin(validation)
        study = self._study()
        self._warm = [run for run in self._runs if self._may_be_taken(run, validation)]
        if study.is_new:
            self._suggest(study)
        repeats = 0
        while not self._is_over(study, limits, time.monotonic() - begun) and repeats < _REPEATS:
            repeats = 0 if self._trial(study, study.propose(), validation, base) else repeats + 1
            self._write(study)
        if repeats:
            self.session.say(f"search: the last {repeats} recipes proposed were trained before; nothing new is left")
        looks = study.looks
        if not looks:
            reasons = "; ".join(study.dropped.values())
            raise TrainingError(f"search: no training came to an end{f' ({reasons})' if reasons else ''}; change "
                                "search.space or give more --trials or --minutes")  # fmt: skip
        chosen = candidates(looks, self._terms.budget_points, self.config.candidates)
        return Searched(tuple(looks), tuple(chosen))

    def judge(self, found: Searched, claims: Claims, cluster: str | None) -> tuple[Run, Comparison]:
        """Train the chosen ones anew with every seed and judge them on the test."""
        from paretune.pipeline.experiment import run_all

        path = self.session.folder.path / FINAL
        table = self._final_table(found.chosen)
        write_text(path, toml_tables(table))
        session = self.outer
        session.config = replace(experiment_of(table, str(path)), tracking=session.config.tracking)
        self.session.release()
        looked = {"looks": len(found.looks), "trainings": len({look.training for look in found.looks}),
                  "candidates": len(found.chosen), "judged": [look.name for look in found.chosen]}  # fmt: skip
        session.folder.update_manifest({"search": looked})
        self._take_own()
        return run_all(session, session.config.all_variants(), claims, cluster=cluster)

    def _take_own(self) -> None:
        """The experiment's own variants that the search trained already. What it chose is trained anew."""
        session = self.outer
        chosen = {candidate_name(number, seed) for number in range(1, self.config.candidates + 1)
                  for seed in self.config.seeds}  # fmt: skip
        by_step = {variant.source for variant in session.config.variants if variant.checkpoint is not None}
        for variant in session.config.variants:
            if variant.training is not None and variant.name not in chosen | by_step:
                mark = training_fingerprint(session, variant, self.session.folder)
                _take(session, variant.name, mark, [self.session.folder.path, *self._warm])

    def write_pick(self, comparison: Comparison) -> Path | None:
        """The experiment with the pick alone, to run again; None where the base model is picked."""
        folder = self.session.folder.path
        path, text = folder / PICK, pick_text(folder / FINAL, comparison)
        path.unlink(missing_ok=True)
        if not text:
            return None
        write_text(path, text)
        return path

    def _begin(self, validation: Validation) -> StateAnswers:
        """The base model's answers. A search of other questions, weights or settings is set aside."""
        folder = self.session.folder.path
        mark = self._mark(validation)
        header = read_lines(folder / LOOKS)[0] if (folder / LOOKS).exists() else {}
        if header.get("fingerprint") == mark:
            return StateAnswers.from_record(header["base"])
        for name in (JOURNAL, LOOKS):
            if (folder / name).exists():
                self.session.say(
                    f"search: the settings or the questions changed; {set_aside(folder / name).name} is kept"
                )
        with self.session.bar(Work("search", "generate", len(validation)), "base model") as advance:
            base = answer_state(self.session, validation, None, advance=advance)
        write_lines(folder / LOOKS, {"kind": "search", "fingerprint": mark, "base": base.record()}, [])
        return base

    def _mark(self, validation: Validation) -> str:
        """Of all that decides what a look finds, and what may be looked at."""
        usual = VariantConfig("usual", training=recipe_training(self._table.get("training", {}), {}, self._where))
        return fingerprint(
            [validation.fingerprint, training_fingerprint(self.session, usual), repr(self.config.space),
             self.config.scales, self._terms.budget_points]
        )  # fmt: skip

    def _study(self) -> Study:
        journal = self.session.folder.path / JOURNAL
        return Study(self.config, self._terms.budget_points, journal, self.session.config.seed)

    def _may_be_taken(self, run: Path, validation: Validation) -> bool:
        """Whether the run's trainings saw nothing that is looked at here; says so where they did."""
        held = {(question.cluster, question.question) for question in validation.questions}
        rows = prepared_lines(self.session, "train")[1]
        name = self.session.task.facets.names.get("cluster", "cluster")
        whole = not {cluster for cluster, _ in held} & {str(row[name]) for row in rows}
        seen = seen_in_training(run, held, by_cluster=whole)
        if seen:
            names = ", ".join(seen[:5]) + (", ..." if len(seen) > 5 else "")
            self.session.say(
                f"search: {run} was trained on rows of {len(seen)} validation {self.session.task.facets.clusters} "
                f"({names}); its adapters are not taken, its recipes are trained anew"
            )
        return not seen

    def _suggest(self, study: Study) -> None:
        """The experiment's own recipes first, then those of other runs."""
        for variant in self.outer.config.variants:
            if variant.training is not None and not study.suggest(_recipe(variant.training.as_dict())):
                self.session.say(f"search: the recipe of {variant.name} lies outside search.space")
        for run in self._runs:
            variants = RunFolder(run).read_manifest().get("config", {}).get("variants", [])
            recipes = [item["training"] for item in variants if item.get("training")]
            if not recipes:
                raise DataError(f"{run}: no run folder with trained variants; expected manifest.json in it")
            taken = sum(study.suggest(_recipe(recipe)) for recipe in recipes)
            self.session.say(f"search: {taken} of {len(recipes)} recipes of {run} lie in search.space")

    def _is_over(self, study: Study, limits: Limits, elapsed: float) -> bool:
        trainings = len({look.training for look in study.looks} | set(study.dropped))
        if limits.trials is not None and trainings >= limits.trials:
            return True
        if limits.minutes is None or not trainings:
            return False
        training, look = self._seconds("train") / trainings, self._seconds("look") / max(1, len(study.looks))
        judgement = self._judgement(study.looks, training, look * self._test_size())
        more = training + look * len(self.config.scales)
        return elapsed + more + judgement > 60 * limits.minutes

    def _judgement(self, looks: Sequence[Look], training: float, answers: float) -> float:
        """Seconds of the judgement, by those of one training and of one state's answers to the test. The experiment's
        own variants were trained by then, as far as they lie in the space."""
        chosen = candidates(looks, self._terms.budget_points, self.config.candidates)
        finals = len(self.config.seeds) * max(1, len(chosen))
        scaled = len(self.config.seeds) * sum(look.scale != 1.0 for look in chosen)
        return finals * training + (1 + len(self.outer.config.variants) + finals + scaled) * answers

    def _seconds(self, stage: str) -> float:
        work = self.session.folder.read_manifest().get("work", [])
        return sum(float(entry["seconds"]) for entry in work if entry["stage"] == stage)

    def _test_size(self) -> float:
        """How many times as many questions the test asks as a look."""
        prepared = self.session.folder.prepared
        test = count_lines(prepared(self.session.task.facets.lines)) + count_lines(prepared("choice"))
        return test / max(1, count_lines(prepared("validation")) + count_lines(prepared("validation_choice")))

    def _trial(self, study: Study, proposal: Proposal, validation: Validation, base: StateAnswers) -> bool:
        """Train and look at one recipe; False where the same was trained before."""
        session, name = self.session, training_name(proposal.training)
        training = recipe_training(self._table.get("training", {}), proposal.recipe, self._where)
        for look in study.looks:
            if recipe_training(self._table.get("training", {}), look.recipe, self._where) == training:
                same = [item for item in study.looks if item.training == look.training]
                study.tell(proposal, {item.scale: (item.gain, item.loss, item.record) for item in same})
                return False
        session.say(f"{name}: {', '.join(f'{key} {_short(value)}' for key, value in proposal.recipe.items())}")
        session.engine.release()
        variant = VariantConfig(name, training=training)
        try:
            _take(session, name, training_fingerprint(session, variant), self._warm)
            train(session, variant)
        except TrainingError as error:
            session.say(f"{name}: {error}")
            study.drop(proposal, str(error))
            return True
        folder = session.folder.path / name
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        if any((line.get("monitor") or {}).get("stop") for line in read_lines(folder / "training.jsonl")[1]):
            study.drop(proposal, "stopped by the monitor")
            return True
        study.tell(proposal, self._results(name, validation, base))
        best = max((look for look in study.looks if look.training == proposal.training), key=lambda look: look.gain)
        session.say(f"{name}: gain {best.gain:+.1f}, loss {best.loss:+.1f} points at scale {best.scale:g}")
        return True

    def _results(self, name: str, validation: Validation, base: StateAnswers) -> dict[float, tuple[float, float, Any]]:
        results: dict[float, tuple[float, float, Any]] = {}
        size, adapter = len(validation) * len(self.config.scales), self.session.folder.variant(name, "adapter")
        work = Work(name, "generate", size)
        with self.session.folder.timed("look", name), self.session.bar(work, "validation answers") as advance:
            for scale in self.config.scales:
                answers = answer_state(self.session, validation, adapter, scale, advance)
                losses = [base.general_points(suite) - answers.general_points(suite) for suite in answers.general]
                results[scale] = (answers.target_points - base.target_points, max(losses), answers.record())
        return results

    def _write(self, study: Study) -> None:
        """looks.jsonl, for readers without Optuna."""
        path = self.session.folder.path / LOOKS
        header = read_lines(path)[0] | {"dropped": {training_name(at): why for at, why in study.dropped.items()}}
        write_lines(
            path, header,
            ({"name": look.name, "training": look.training, "scale": look.scale, "recipe": look.recipe,
              "gain": look.gain, "loss": look.loss, "answers": look.record} for look in study.looks),
        )  # fmt: skip

    def _final_table(self, chosen: Sequence[Look]) -> dict[str, Any]:
        """The experiment with the chosen recipes beside its own variants, and nothing left to search."""
        table = {key: value for key, value in self._table.items() if key not in ("search", "tracking")}
        items = [dict(item) for item in self._table.get("variant", [])]
        for number, look in enumerate(chosen, start=1):
            keys = recipe_keys(self._table.get("training", {}), look.recipe)
            for seed in self.config.seeds:
                name = candidate_name(number, seed)
                items.append({"name": name, **keys, "seed": seed})
                if look.scale != 1.0:
                    items.append({"name": f"{name}@{look.scale:g}", "from": name, "adapter_scale": look.scale})
        return {"name": self.outer.config.name, **table, "variant": items}


def _take(session: Session, name: str, mark: str, folders: Sequence[Path]) -> None:
    source = take_trained(session, name, mark, folders)
    if source is not None:
        session.say(f"{name}: the adapter of {source} is taken: the same weights, rows, settings and seed")


def _checked(config: ExperimentConfig, where: str) -> SearchConfig:
    if config.search is None:
        raise ConfigError(f"{where}: no [search] section; add one that says what may vary, for example [search.space] "
                          "with rank = [8, 16] or epochs = { low = 0.5, high = 2.0 } (docs/search.md)")  # fmt: skip
    if config.validation is None:
        raise ConfigError(f"{where}: no [validation] section; a search looks at questions that are neither trained on "
                          "nor of the test, so add one (docs/search.md)")  # fmt: skip
    return config.search


def _recipe(training: Mapping[str, Any]) -> dict[str, Any]:
    """A training's keys with the method, which the usual one leaves out."""
    return {"method": DEFAULT_METHOD, **training}


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
