"""What a training is watched by: small sets that are not the test's, and when it has lost enough to be stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import VariantConfig
from paretune.engines.base import Host
from paretune.engines.hf.engine import HfEngine, TransformersSettings
from paretune.errors import DataError
from paretune.methods import find_method
from paretune.models.chat import encode
from paretune.pipeline.session import Session
from paretune.pipeline.validation import StateAnswers, Validation, answer_now, axes_of, read_validation
from paretune.stats.claims import loss_test
from paretune.stats.paired import paired_estimate
from paretune.training.batches import TrainingRow

if TYPE_CHECKING:
    from paretune.training.watching import AnswerScores, Watch

_TEXT = Path(__file__).parents[1] / "training" / "assets" / "monitor.txt"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look finds. bits: per byte of general text."""

    answers: StateAnswers
    scores: AnswerScores
    bits: float


@dataclass(frozen=True, slots=True)
class StopRule:
    """A training ends where a loss of more than `points` is shown on a suite.

    tail: one-sided level of each decision. All looks at all suites together stop a training that has lost no more than
    that with a probability of at most (1 - level of [claims]) / 2, which is shared out evenly (Bonferroni). That
    nothing is shown does not rule the loss out.
    """

    points: float
    tail: float

    @classmethod
    def of(cls, points: float, level: float, looks: int, suites: int) -> StopRule:
        """For so many looks.

        >>> StopRule.of(2.0, 0.95, looks=10, suites=1).tail
        0.0025
        """
        return cls(points, round((1 - level) / 2 / (looks * suites), 12))


def watch_training(session: Session, variant: VariantConfig, steps: int) -> Watch | None:
    """Who looks at the training of a variant, of so many steps; None where nobody is to. Asks the base model first.

    Raises DataError where the validation questions are not prepared or the text cannot be read, EngineError.
    """
    from paretune.training.watching import Watch, score_answers

    training, section = variant.training, session.config.validation
    if training is None or training.monitor_steps is None or section is None:
        return None
    whole = read_validation(session)
    part, text = whole.first(section.monitor_questions), _text(section.text)
    rule = None
    if training.stop_when_loss is not None:
        part = replace(part, choices=whole.choices)
        looks = ceil(steps / training.monitor_steps)
        rule = StopRule.of(training.stop_when_loss, session.config.claims.level, looks, len(part.choices))
    rows, engine = _rows(session, part), _engine(session)

    def seen(model: Any, *, with_base: bool) -> Seen:
        with engine.lent(model):
            answers, bits = answer_now(session, engine, part), engine.text_logprobs(text).bits_per_byte
        engine.release()
        return Seen(answers, score_answers(model, rows, with_base=with_base), bits)

    base = seen(session.base.model, with_base=False)
    compares = not find_method(training.method).moves_base  # else the base is not at hand while it trains
    say = partial(_say, session, variant.name)

    def look(model: Any, step: int) -> Mapping[str, Any]:
        line = monitor_line(part, base, seen(model, with_base=compares), rule)
        say(step, line)
        return line

    return Watch(training.monitor_steps, look)


def monitor_line(part: Validation, base: Seen, now: Seen, rule: StopRule | None) -> dict[str, Any]:
    """What stands under "monitor" in a line of training.jsonl; accuracies and changes in points, losses in nats per
    token. low, high: of the change, as if this were the only look."""
    target, *generals = axes_of(part, [base.answers, now.answers], "accuracy")
    found: dict[str, Any] = {
        "target": {**_change(target.correct, target.clusters), "loss": now.scores.loss, "base_loss": base.scores.loss},
        "kl": now.scores.divergence,
        "bits_per_byte": now.bits,
        "base_bits_per_byte": base.bits,
        "general": {axis.benchmark: _change(axis.correct, axis.clusters) for axis in generals},
    }
    if rule is not None:
        tests = [
            loss_test(
                paired_estimate(axis.correct[:, 0], axis.correct[:, 1], axis.clusters), rule.points, tail=rule.tail
            )
            for axis in generals
        ]
        found["stop"] = any(test.verdict == "shown" for test in tests)
    return found


def _change(correct: Any, clusters: Sequence[Any] | None) -> dict[str, Any]:
    """correct: (n, 2), the base model first."""
    interval = paired_estimate(correct[:, 0], correct[:, 1], clusters).interval(0.025)
    before, after = (100 * correct.mean(axis=0)).tolist()
    return {
        "accuracy": after, "base": before, "low": interval.low, "high": interval.high, "questions": len(correct),
    }  # fmt: skip


def _say(session: Session, name: str, step: int, line: Mapping[str, Any]) -> None:
    target = line["target"]
    parts = [f"{session.task.facets.metric} {_against(target)}", f"loss {target['loss']:.3f}"]
    parts += [] if line["kl"] is None else [f"KL {line['kl']:.3f}"]
    parts.append(f"text {line['bits_per_byte']:.3f} bits per byte (base {line['base_bits_per_byte']:.3f})")
    parts += [f"{suite} {_against(change)}" for suite, change in line["general"].items()]
    session.say(f"{name}, step {step}: {', '.join(parts)}")
    if line.get("stop"):
        session.say(f"{name}: stopped after step {step}: a loss of more than stop_when_loss is shown")


def _against(change: Mapping[str, Any]) -> str:
    gained = change["accuracy"] - change["base"]
    return f"{change['accuracy']:.1f} ({gained:+.1f} [{change['low']:.1f}, {change['high']:.1f}])"


def _rows(session: Session, part: Validation) -> list[TrainingRow]:
    """The questions with their reference answers, in tokens."""
    tokenizer = session.tokenizer
    rows = []
    for question, completion in zip(part.questions, part.completions, strict=True):
        prompt, answer = encode(tokenizer, question.prompt), encode(tokenizer, completion)
        rows.append(TrainingRow((*prompt, *answer), len(answer)))
    return rows


def _engine(session: Session) -> HfEngine:
    if isinstance(session.engine, HfEngine):
        return session.engine
    host = Host(session.model, session.config.target.batch_size, ending=session.task.ending(session.config))
    return HfEngine.build(TransformersSettings(), host)


def _text(path: str | None) -> str:
    try:
        text = Path(path or _TEXT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"validation.text: {path}: cannot be read ({error})") from error
    if not text.strip():
        raise DataError(f"validation.text: {path}: is empty; give a text of some pages")
    return text
