"""The multiple choice of an experiment: every prompt written to prepared/, and read from there by the evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paretune.choice.lm_eval import LmEvalSuite, read_lm_eval
from paretune.config import LM_EVAL, GeneralConfig
from paretune.errors import DataError
from paretune.files import fingerprint
from paretune.records import ChoicePrompt, ChoiceQuestion
from paretune.run.folder import RunFolder
from paretune.run.jsonl import Record, read_lines
from paretune.run.lines import from_record

FILE = "choice_prompts"  # of prepared/


@dataclass(frozen=True, slots=True)
class Choices:
    """The multiple choice that every variant is asked. prompts: by suite; lm_eval: suites that lm-eval asks and
    scores."""

    prompts: Mapping[str, tuple[ChoicePrompt, ...]]
    lm_eval: tuple[LmEvalSuite, ...]
    fingerprint: str  # of `prompts`

    def __len__(self) -> int:
        """Answers that a variant owes."""
        own = sum(map(len, self.prompts.values()))
        return own + sum(len(suite.questions) for suite in self.lm_eval)


def prompt_lines(prompts: Mapping[str, Sequence[ChoicePrompt]], name: str = FILE) -> tuple[Record, list[Record]]:
    """Header and records of prepared/choice_prompts.jsonl, or another file like it, a line per prompt.

    The texts that many prompts begin with stand once, in the header; a line names its own by number. The fingerprint
    is that of the prompts themselves, whatever the form of the file.
    """
    numbers: dict[str, int] = {}
    records: list[Record] = []
    for suite, prompt in _pairs(prompts):
        number = numbers.setdefault(prompt.prefix, len(numbers))
        records.append({"suite": suite, **asdict(prompt), "prefix": number})
    header = {"kind": f"prepared-{name}", "fingerprint": _fingerprint(prompts), "prefixes": list(numbers)}
    return header, records


def read_choices(folder: RunFolder, general: Sequence[GeneralConfig]) -> Choices:
    """What prepared/ asks. Only tasks of lm-eval are read from where they are: lm-eval itself asks and scores them.

    Raises DataError for a file that is not there or contradicts itself, and what `read_lm_eval` raises.
    """
    prompts, mark = read_prompts(folder.prepared(FILE))
    return Choices(prompts, tuple(_lm_eval_suites(general)), mark)


def read_prompts(path: Path) -> tuple[dict[str, tuple[ChoicePrompt, ...]], str]:
    """Prompts by suite, and their fingerprint. Raises DataError for a file that is not there or contradicts itself."""
    header, records = read_lines(path)
    prefixes: list[str] = header.get("prefixes", [])
    prompts: dict[str, list[ChoicePrompt]] = {}
    for number, record in enumerate(records, start=2):
        prompts.setdefault(str(record.get("suite")), []).append(_prompt(record, prefixes, f"{path}, line {number}"))
    mark = _fingerprint(prompts)
    if header.get("fingerprint") != mark:
        raise DataError(f"{path}: changed after it was written; run paretune prepare again")
    return {suite: tuple(own) for suite, own in prompts.items()}, mark


def _lm_eval_suites(general: Sequence[GeneralConfig]) -> Iterator[LmEvalSuite]:
    for item in general:
        if item.kind == LM_EVAL:
            folder = Path(item.path) if item.path else None
            yield from read_lm_eval(item.tasks, folder, shots=item.few_shot, limit=item.questions_per_subject)


def _prompt(record: Mapping[str, Any], prefixes: Sequence[str], where: str) -> ChoicePrompt:
    try:
        values = {**record, "prefix": prefixes[record["prefix"]]}
        values["question"] = from_record(ChoiceQuestion, record["question"], where)
    except (KeyError, IndexError, TypeError) as error:
        raise DataError(f"{where}: not a prompt as paretune prepare writes it; run it again") from error
    return from_record(ChoicePrompt, values, where)


def _pairs(prompts: Mapping[str, Iterable[ChoicePrompt]]) -> Iterator[tuple[str, ChoicePrompt]]:
    for suite, own in prompts.items():
        for prompt in own:
            yield suite, prompt


def _fingerprint(prompts: Mapping[str, Iterable[ChoicePrompt]]) -> str:
    return fingerprint([[suite, asdict(prompt)] for suite, prompt in _pairs(prompts)])
