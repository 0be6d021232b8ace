"""A model card for the Hub: Markdown with model-index metadata, every figure from the comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from paretune.analysis.audit import audit_run
from paretune.analysis.results import Claim, Comparison, GroupRow, UnitRow
from paretune.errors import RunFolderError
from paretune.fields import nearest
from paretune.methods import DEFAULT_METHOD, find_method
from paretune.report.target_words import clusters_counted, target_say, target_word
from paretune.report.text_table import Table, as_markdown
from paretune.report.verdict import change_notes, family_notes, general_sentence, stated
from paretune.run.load import Run
from paretune.stats.intervals import Interval
from paretune.text import SOURCE, Voice

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_FIGURES = Voice(SOURCE)  # numbers of the metadata are written as the tables write them, with a decimal point
_ADAPTER = "ADAPTER"  # stands for the folder or Hub id that only the uploader knows
_PACKAGES = ("paretune", "torch", "transformers", "peft", "trl", "lm_eval")


@dataclass(frozen=True, slots=True)
class _Subject:
    """The variant that a card is about. unit: what is claimed of it, itself or the recipe that it is a seed of."""

    name: str
    unit: UnitRow
    settings: dict[str, Any]  # of its variant in the experiment, {} where they are not known
    training: dict[str, Any]  # how its adapter was trained, {} where that was done elsewhere


def card_text(records: Run, comparison: Comparison, variant: str | None, voice: Voice) -> str:
    """The card of a variant, ready to be README.md beside its adapter.

    variant: the pick when None. Raises RunFolderError where nothing is picked, and for a name without an adapter.
    """
    from huggingface_hub import ModelCard

    subject = _subject(records, comparison, variant)
    body = "\n\n".join(_body(records, comparison, subject, voice))
    metadata = _metadata(records, comparison, subject, voice)
    return str(ModelCard(f"---\n{metadata.to_yaml()}\n---\n\n{body}\n"))


def _subject(records: Run, comparison: Comparison, variant: str | None) -> _Subject:
    verdict = comparison.verdict
    tuned = [row.name for row in comparison.variants[1:]]
    if variant is None:
        if verdict.pick is None:
            raise RunFolderError(
                f"{records.path}: no variant is picked, the base model is kept; name one for its card: "
                f"--variant {' or '.join(tuned) or 'NAME'}"
            )
        variant = verdict.pick.unit.variants[0]
    item = verdict.of(variant)
    if variant not in tuned or item is None:
        raise RunFolderError(f"{records.path}: no card of {variant!r}{nearest(variant, tuned)}")
    configured = {str(one.get("name")): dict(one) for one in records.config.get("variants") or ()}
    settings = configured.get(variant, {})
    owner = configured.get(str(settings.get("source") or variant), {})
    return _Subject(variant, item.unit, settings, dict(owner.get("training") or {}))


def _metadata(records: Run, comparison: Comparison, subject: _Subject, voice: Voice) -> ModelCardData:
    from huggingface_hub import ModelCardData

    base = _hub_id(comparison.model)
    return ModelCardData(
        base_model=base,
        library_name="peft",
        pipeline_tag="text-generation",
        tags=[str(subject.training.get("method", DEFAULT_METHOD)), "paretune"],
        model_name=f"{records.name} {subject.name}",
        eval_results=list(_results(comparison, subject)),
    )


def _results(comparison: Comparison, subject: _Subject) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    def result(task: str, dataset: str, metric: str, figure: Interval, change: Interval | None) -> EvalResult:
        args: dict[str, Any] = {"unit": "percent", **_limits("", figure)}
        if change is not None:
            args |= {"change_points": _number(change.estimate), **_limits("change_", change)}
        slug = re.sub(r"[^a-z0-9]+", "-", dataset.lower()).strip("-") or "unnamed"
        return EvalResult(
            task_type=task,
            dataset_type=slug,
            dataset_name=dataset,
            metric_type="accuracy",
            metric_name=metric,
            metric_value=_number(figure.estimate),
            metric_args=args,
        )

    row = next(row for row in comparison.variants if row.name == subject.name)
    difference = comparison.difference(subject.name, "target")
    change = difference.interval if difference else None
    yield result("text-generation", comparison.target_benchmark, comparison.facets.metric, row.leading, change)
    for suite, cell in _suites(comparison, subject.name):
        yield result("multiple-choice", suite.suite, f"accuracy by {suite.method}", cell.accuracy, cell.change)


def _suites(comparison: Comparison, variant: str) -> Iterator[tuple[Any, GroupRow]]:
    """Each suite and method, with the variant's row for all its questions."""
    for suite in comparison.suites:
        yield suite, next(row for row in suite.rows if row.kind == "all" and row.variant == variant)


def _number(value: float) -> float:
    return float(_FIGURES.number(value))


def _limits(prefix: str, figure: Interval) -> dict[str, float]:
    return {
        f"{prefix}low": _number(figure.low),
        f"{prefix}high": _number(figure.high),
        f"{prefix}confidence": figure.confidence,
    }


def _hub_id(model: str) -> str | None:
    """The base model as the Hub knows it; None for a local file or folder."""
    return model if _HUB_ID.fullmatch(model) else None


def _body(records: Run, comparison: Comparison, subject: _Subject, voice: Voice) -> Iterator[str]:
    say = voice.say
    base = _base_name(comparison)
    yield f"# {records.name}: {_plain(subject.name)}"
    yield say("card.what", base=base, benchmark=comparison.target_benchmark)
    yield f"## {say('Gain and loss')}"
    yield _claimed(comparison, subject, voice)
    yield as_markdown(_figures(comparison, subject, voice)).strip()
    yield f"## {say('How it was measured')}"
    yield _bullets(_measured(records, comparison, voice))
    yield f"## {say('How it was trained')}"
    yield _bullets(_trained(records, subject, voice))
    yield f"## {say('Limits')}"
    yield _bullets(_warnings(records, comparison, subject, voice))
    yield f"## {say('How to use it')}"
    yield from _usage(comparison, subject, voice)


def _claimed(comparison: Comparison, subject: _Subject, voice: Voice) -> str:
    """The two sentences of the claim: on the target, and on the suite that must be quoted."""
    item = comparison.verdict.of(subject.name)
    assert item is not None
    target, base = subject.unit.leading, comparison.variants[0].leading.estimate
    gain = voice.say(
        "card.recipe" if subject.unit.is_recipe else "card.variant",
        variant=_plain(subject.name),
        recipe=_plain(subject.unit.name),
        seeds=len(subject.unit.variants),
        change=target.interval,
        benchmark=comparison.target_benchmark,
        before=base,
        after=base + target.interval.estimate,
        finding=voice.say(f"change:{target.finding}"),
    )
    sentences = [gain, general_sentence(item.worst, len(subject.unit.primary), voice)]
    if item.reason:
        reason = f"{_plain(item.unit.name)}: {voice.say(f'decision:{item.reason}')}"
        sentences.append(voice.say("verdict.not-picked", reasons=reason))
    return " ".join(sentences)


def _figures(comparison: Comparison, subject: _Subject, voice: Voice) -> Table:
    say = voice.say
    row = next(one for one in comparison.variants if one.name == subject.name)
    base = comparison.variants[0]
    difference = comparison.difference(subject.name, "target")
    metric = target_word(comparison.facets, voice, comparison.facets.metric)
    rows = [
        _figure_row(f"{comparison.target_benchmark}: {metric}", base.leading, row.leading,
                    difference.claim if difference else None, None, voice),
    ]  # fmt: skip
    before = {(suite.suite, suite.method): cell for suite, cell in _suites(comparison, base.name)}
    for suite, cell in _suites(comparison, subject.name):
        claim = next(
            (one.claim for one in comparison.differences
             if (one.first, one.second, one.benchmark, one.method)
             == (base.name, subject.name, suite.suite, suite.method) and one.axis == "general"), None,
        )  # fmt: skip
        name = f"{suite.suite}: {say('accuracy')}, {say(suite.method)}"
        rows.append(
            _figure_row(name, before[suite.suite, suite.method].accuracy, cell.accuracy, claim, cell.change, voice)
        )
    header = (say("benchmark"), say("base model, %"), say("this model, %"), say("change, points"), say("p (family)"),
              say("finding"))  # fmt: skip
    notes = (say("Accuracies: 95 % intervals in brackets."), *family_notes(comparison.verdict, voice)[:1])
    return Table(say("Accuracy before and after"), header, tuple(rows), notes)


def _figure_row(
    name: str, before: Interval, after: Interval, claim: Claim | None, change: Interval | None, voice: Voice
) -> tuple[str, ...]:
    interval = claim.interval if claim else change
    return (
        name,
        voice.interval(before),
        voice.interval(after),
        voice.interval(interval, signed=True),
        voice.p_value(claim.family_p) if claim else "",
        voice.say(f"change:{claim.finding}") if claim else "",
    )


def _measured(records: Run, comparison: Comparison, voice: Voice) -> Iterator[str]:
    say, tell, terms = voice.say, target_say(comparison.facets, voice), comparison.verdict.terms
    yield tell(
        "facts.questions",
        benchmark=comparison.target_benchmark,
        questions=comparison.questions,
        rules=voice.data_word(f"{comparison.target_rules} rules"),
        **clusters_counted(comparison.facets, voice, comparison.clusters),
    )
    for suite, cell in _suites(comparison, comparison.variants[0].name):
        shots = "" if suite.shots is None else say("card.shots", shots=suite.shots)
        yield say("facts.general", suite=suite.suite, questions=cell.accuracy.n, method=say(suite.method)) + shots
    yield say("card.terms", margin=stated(terms.margin_points), budget=stated(terms.budget_points),
              level=stated(100 * terms.level), planned=comparison.verdict.planned)  # fmt: skip
    weights = [comparison.precision, comparison.quantization]
    yield say("card.precision", precision=", ".join(part for part in weights if part not in ("", "none")) or "–")
    versions = records.manifest.get("versions", {})
    known = [f"{name} {versions[name]}" for name in _PACKAGES if name in versions]
    seed = str(records.config.get("seed", comparison.seed))
    yield say("card.versions", versions=", ".join(known) or "–", seed=seed)


def _trained(records: Run, subject: _Subject, voice: Voice) -> Iterator[str]:
    say, training = voice.say, subject.training
    if not training:
        yield say("The adapter was trained elsewhere; how is not known to the measurement.")
        return
    owner = str(subject.settings.get("source") or subject.name)
    entry = dict(records.manifest.get("variants", {}).get(owner, {}))
    yield say(
        "card.training",
        rows=int(entry.get("train_rows") or 0),
        steps=int(entry.get("steps") or 0),
        epochs=stated(float(training.get("epochs", 1.0))),
        rate=f"{float(training.get('peak_learning_rate', 0.0)):g}",
        seed=str(training.get("seed", "–")),
    )
    method = str(training.get("method", DEFAULT_METHOD))
    chosen = (f"{key.name} {_value(training[key.name])}" for key in fields(find_method(method).settings)
              if key.name in training)  # fmt: skip
    yield say("card.method", method=method, settings=tuple(chosen))
    if subject.settings.get("checkpoint") is not None:
        yield say("card.checkpoint", step=int(subject.settings["checkpoint"]), source=owner)
    if subject.settings.get("repair"):
        settings = subject.settings.get("repair_settings") or {}
        yield say("card.repair", repair=str(subject.settings["repair"]), source=owner,
                  settings=tuple(f"{key} {_value(value)}" for key, value in settings.items()))  # fmt: skip


def _warnings(records: Run, comparison: Comparison, subject: _Subject, voice: Voice) -> Iterator[str]:
    say, verdict = voice.say, comparison.verdict
    for finding in audit_run(records):
        about = finding.figures.get("variant", subject.name)
        if finding.level != "note" and about in (subject.name, comparison.variants[0].name):
            yield f"**{say(finding.level)}**: {finding.say(voice)[0]}"
    if verdict.scope == "these":
        yield target_say(comparison.facets, voice)("table.these-clusters")
    if subject.unit.caveat.startswith("one seed"):
        yield say("Trained once (one seed): this is a result about this adapter. Training it again may give another.")
    elif subject.unit.caveat:
        yield say("Two seeds: the variance between seeds is hardly known.")
    yield from change_notes(verdict.changes, voice)
    yield say("Public benchmarks may be in the base model's pre-training data; only the change is about this adapter.")


def _usage(comparison: Comparison, subject: _Subject, voice: Voice) -> Iterator[str]:
    base = _hub_id(comparison.model) or "BASE_MODEL"
    lines = [
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        f'tokenizer = AutoTokenizer.from_pretrained("{base}")',
        f'model = AutoModelForCausalLM.from_pretrained("{base}")',
        f'model = PeftModel.from_pretrained(model, "{_ADAPTER}")',
    ]
    yield "```python\n" + "\n".join(lines) + "\n```"
    yield voice.say("card.prompts")
    scale = subject.settings.get("adapter_scale")
    if scale not in (None, 1.0):
        yield voice.say("card.scale", scale=stated(float(scale)), variant=subject.name)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _base_name(comparison: Comparison) -> str:
    """The base model's id, or the last part of a path: local folders are private."""
    return _hub_id(comparison.model) or comparison.model.rstrip("/").rpartition("/")[2] or "?"


def _plain(name: str) -> str:
    """A name in running Markdown."""
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", name)


def _bullets(lines: Iterator[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
