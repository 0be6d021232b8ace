"""A target task: what is asked of a model, what it is trained on, how its answers are judged, what its figures are
called.

A task is found by the name that stands under `kind` in the [target] table of an experiment. Those of other packages
are entry points of the group `paretune.tasks`, each an object that has the methods of `Task`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from paretune import plugins
from paretune.errors import ConfigError
from paretune.fields import nearest

if TYPE_CHECKING:
    from paretune.config import ExperimentConfig
    from paretune.findings import Finding
    from paretune.run.load import AskedQuestion, Run
    from paretune.text import Voice

GROUP = "paretune.tasks"  # of entry points
DEFAULT_KIND = "spider"  # of an experiment file or a run folder that names none
TASKS: Mapping[str, str] = {
    "spider": "paretune.sql.task:TASK",
    "demo": "paretune.sql.task:TASK",
    "spider-dk": "paretune.sql.task:TASK",
    "spider-realistic": "paretune.sql.task:TASK",
    "spider-syn": "paretune.sql.task:TASK",
    "bird": "paretune.sql.task:BIRD",
}

Identity = int | str
Messages = list[dict[str, str]]  # of a conversation: role ("user", "assistant") and content


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a target, or one row to train on.

    id: unique among the questions asked. cluster: what it shares its data with others by, such as a database; questions
    of one cluster are not independent. reference: the right answer as text. level: how hard it is, "" where the task
    has no levels.
    """

    id: Identity
    cluster: str
    question: str
    reference: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class TargetData:
    """What a task has read for one experiment.

    training: (split, row), without the rows that prompts show as solved examples. files: SHA-256 of everything read,
    by a name. messages: from a question or row to the conversation that ends where the model has to answer. validation:
    of the training rows, those that are asked on the way instead; a task leaves it empty.
    """

    questions: tuple[Question, ...]
    training: tuple[tuple[str, Question], ...]
    files: Mapping[str, str]
    messages: Callable[[Question], Messages]
    validation: tuple[tuple[str, Question], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one answer. outcome "correct" alone counts as right, "failed" is our own fault and stops a
    comparison. error_class: why a wrong answer is wrong, in one word; explanation: the same in a sentence. detail: what
    else the task knows."""

    id: Identity
    cluster: str
    level: str
    outcome: str
    error_class: str | None = None
    explanation: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str | None:
        """The class of the error; the outcome where that says more than "other" or nothing.

        >>> Verdict(1, "shop", "", "not_a_query", "other").reason
        'not_a_query'
        """
        if self.error_class in (None, "other") and self.outcome not in ("correct", "wrong"):
            return self.outcome
        return self.error_class


@dataclass(frozen=True, slots=True)
class Facets:
    """What a task's files, columns and figures are called.

    lines: prepared/<lines>.jsonl holds its questions, <variant>/<lines>.jsonl its verdicts. metric, cluster, clusters,
    level: English names of its accuracy, of what questions are clustered by (one, several), of their levels. levels:
    in their order. names: how its lines call a field of Question or Verdict, where that is another name. secondary:
    column of a further accuracy -> the key of the verdict's detail that says whether it is right, null where that is
    not known. outcomes: all there are. void: those that say nothing of the answer, as where a reference fails; their
    questions are in no accuracy. marks: keys of the detail that are true for verdicts worth counting beside their
    outcome. left_out: a key of the detail that is true for questions to be left out of a second figure, and the name of
    that figure. answer: the key of the detail under which the answer stands that was read in the text. sentences: in
    place of a general sentence or code of the text catalogue, the task's own. words: language -> English word or
    sentence -> the word; names of outcomes under "outcome:NAME", of reasons under "class:NAME". progress: what the bars
    of answering and judging say. cue: the word before an answer, for a model without a chat template. shorter_prompts:
    what to do where a prompt exceeds the context.
    """

    lines: str
    metric: str = "accuracy"
    cluster: str = "group"
    clusters: str = "groups"
    level: str = "level"
    levels: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    secondary: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    left_out: tuple[str, str] | None = None
    answer: str = "answer"
    outcomes: tuple[str, ...] = ("correct", "wrong", "no_answer", "failed")
    void: tuple[str, ...] = ()
    sentences: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    progress: tuple[str, str] = ("answer", "judge")
    cue: str = "Answer"
    shorter_prompts: str = "shorten the task's prompts"

    @property
    def metric_column(self) -> str:
        """The metric as the name of a file or column."""
        return self.metric.replace(" ", "_")

    def line(self, **values: Any) -> dict[str, Any]:
        """Fields under the names that they have in this task's lines.

        >>> Facets("sql", names={"id": "index"}).line(id=3, cluster="a")
        {'index': 3, 'cluster': 'a'}
        """
        return {self.names.get(name, name): value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Ending:
    """Where what a task asks for is complete, so that all behind it is chatter.

    find: index behind the complete statement of a text, None where there is none yet; what it says of a text holds
    for every continuation. marks: characters of which one completes every statement: only texts that have got one are
    looked at. stops: whether an engine stops there.
    """

    find: Callable[[str], int | None]
    marks: str
    stops: bool


class Task(Protocol):
    """One kind of target. A class that names Task as its base inherits what it need not say: that the page shows no
    more than the lines hold, and that the audit knows nothing of this task in particular."""

    @property
    def facets(self) -> Facets:
        """What its files, columns and figures are called."""

    @property
    def verdict(self) -> type:
        """The dataclass of its verdict lines, whose fields have the names that the facets give them."""
        return Verdict

    @property
    def target(self) -> type:
        """The dataclass of its [target] table: `kind`, `max_new_tokens` and `batch_size`, and keys of its own."""

    @property
    def prompt(self) -> type:
        """The dataclass of its [prompt] table."""

    def read(self, config: ExperimentConfig) -> TargetData:
        """Read and draw the questions, and the rows to train on where a variant is trained. Raises DataError."""

    def doubts(self, config: ExperimentConfig, target: TargetData) -> Sequence[str]:
        """What makes figures on these data doubtful, found without a model; one sentence each."""
        return ()

    def training_answer(self, row: Question) -> str:
        """What the model should learn to answer."""

    def conditions(self, config: ExperimentConfig, files: Mapping[str, str]) -> dict[str, Any]:
        """What decides a verdict beside question and answer; files: `TargetData.files` as the manifest has them."""

    def judge(
        self,
        config: ExperimentConfig,
        questions: Sequence[Question],
        texts: Sequence[str],
        on_verdict: Callable[[Any], None],
    ) -> Sequence[Any]:
        """The verdict on each answer, in the order of the questions, each a `verdict`.

        on_verdict: called with each as soon as it is known. Raises ScoringError where no verdict could be trusted.
        """

    def vote(
        self, config: ExperimentConfig, questions: Sequence[Question], texts: Sequence[Sequence[str]]
    ) -> Sequence[int]:
        """Which of each question's samples most of them agree with, knowing no reference: here by their text."""
        return [most_agree([text.strip() or None for text in answers]) for answers in texts]

    def ending(self, config: ExperimentConfig) -> Ending | None:
        """Where what an answer holds is complete; None: where the model ends it."""
        return None

    def page(self, run: Run, data: Path | None) -> dict[str, Any]:
        """What the explorer shows beside question and answers. "results": {"tables": [[columns, rows in all, first
        rows]], "gold": which table belongs to each question, "answers": the same by variant}.

        data: the folder to compute results from, None for none.
        """
        return {}

    def explain(self, verdict: Verdict, voice: Voice) -> str:
        """Why an answer is wrong, for a reader; "" where there is nothing to say."""
        return verdict.explanation or ""

    def answer_findings(self, run: Run) -> Iterable[Finding] | None:
        """What the audit has to say of the answers; None for what holds for every task: answers without an answer in
        them, and answers that hit the token limit."""
        return None

    def prompt_findings(self, questions: Sequence[AskedQuestion]) -> Iterable[Finding]:
        """What the audit has to say of the prompts, beside what holds for every task."""
        return ()

    def scripts(self) -> Sequence[str]:
        """JavaScript that lays out answers: assignments to the page's `panel`."""
        return ()

    def data_folder(self, manifest: Mapping[str, Any]) -> Path | None:
        """Where the data that `page` wants lie on this machine; None where they do not, or it wants none."""
        return None


def most_agree(said: Sequence[Hashable | None]) -> int:
    """The first of those that say what most say; None says nothing. The first of all where all say nothing.

    >>> most_agree([None, "a", "b", "b", "a"])
    1
    """
    counts = Counter(item for item in said if item is not None)
    if not counts:
        return 0
    most = max(counts.values())
    return next(place for place, item in enumerate(said) if item is not None and counts[item] == most)


def find_task(kind: str) -> Task:
    """The task of that name. Raises ConfigError with the nearest name, or why the package that has it cannot be
    loaded."""
    try:
        task: Task = plugins.load(GROUP, TASKS, kind)
    except KeyError as error:
        known = plugins.names(GROUP, TASKS)
        raise ConfigError(f"target.kind: no task {kind!r}{nearest(kind, known)}") from error
    return task
