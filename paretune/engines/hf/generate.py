"""Generation with transformers: by `decoding` where the model allows it, else by the library's own loop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from paretune.engines.base import Generation, OnAnswer, Sampling
from paretune.engines.hf.answers import AnswerReader
from paretune.errors import EngineError, ScoringError
from paretune.models.chat import encode_all, stop_token_ids
from paretune.models.memory import out_of_memory, release_memory
from paretune.tasks import Ending

if TYPE_CHECKING:
    from paretune.engines.hf.decoding import Decoder
    from paretune.engines.hf.tokens import Tokens

Say = Callable[[str], None]

_MOST_ROWS = {"cpu": 256, "cuda": 2048}  # computed together, where the memory holds them; benchmarks/generation.py
_PLAIN_ROWS = 16  # by the library's own loop, which pads and holds more


def _say_nothing(message: str) -> None:
    """For callers who show no messages."""


class TransformersEngine:
    """Answers prompts with a loaded causal language model (adapters as they are set).

    batch_size: rows computed together at most; None: as many as the device's memory holds. ending: where an answer is
    complete (counts what is written behind it, and stops there if it says so). say: receives what a user should know,
    such as that a faster way does not work with this model. fast: false takes the library's own loop.

    Answers to the same prompts do not depend on their order. In float32 they do not depend on batch_size either; in 16
    bits the last digits of a sum do, and with them a few answers: one batch_size serves all variants of an experiment.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        batch_size: int | None = None,
        *,
        ending: Ending | None = None,
        say: Say = _say_nothing,
        fast: bool = True,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._batch_size = batch_size
        self._say = say
        self._fast = fast
        self._stop = frozenset(stop_token_ids(tokenizer, model.generation_config))
        self._reader = AnswerReader(tokenizer, self._stop, ending)

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        on_answer: OnAnswer,
        answered: Collection[int] = (),
        sampling: Sampling | None = None,
    ) -> None:
        """See Engine. Rows that begin alike are answered together; a wave of rows of which one is missing is computed
        whole, so that its answers are those of an uninterrupted run."""
        rows = encode_all(self._tokenizer, prompts)
        run = _Run(self._reader, rows, max_new_tokens, on_answer, answered, sampling)
        if not run.left():
            return
        if not self._fast:
            self._plainly(run)
            return
        decoder, reason = self._decoder(0.0 if sampling is None else sampling.temperature)
        if decoder is not None:
            with decoder.open():
                reason = decoder.disagreement()
                if reason is None:
                    self._by_waves(decoder, run)
                    return
        self._say(f"answers are written by the library's own loop, which is slower ({reason})")
        self._plainly(run)

    def _decoder(self, temperature: float) -> tuple[Decoder | None, str | None]:
        from paretune.engines.hf.decoding import Decoder

        try:
            return Decoder(self._model, self._say, temperature), None
        except (ScoringError, EngineError) as error:
            if self._model.training:
                raise
            return None, str(error)

    def _by_waves(self, decoder: Decoder, run: _Run) -> None:
        from paretune.engines.hf.decoding import plan_wave

        places = max(map(len, run.rows)) + run.max_new_tokens

        def write(members: Sequence[int]) -> None:
            wave = plan_wave([run.rows[position] for position in members], decoder.budget)
            decoder.allocate(len(members), max(places, wave.n_places(run.max_new_tokens)))
            decoder.write(
                wave, run.max_new_tokens, lambda row, tokens: run.take(members[row], tokens), run.seeds(members)
            )

        most = self._batch_size or _MOST_ROWS.get(decoder.device.type, _MOST_ROWS["cpu"])
        order = sorted(range(len(run.rows)), key=lambda position: (run.rows[position], position))
        self._in_batches(order, min(most, decoder.rows_that_fit(places)), run, write, decoder.release)

    def _plainly(self, run: _Run) -> None:
        from paretune.engines.hf.plain import write_plainly

        def write(members: Sequence[int]) -> None:
            rows = [run.rows[position] for position in members]
            padding = self._tokenizer.pad_token_id
            draws = (run.seeds(members), run.temperature)
            for row, tokens in write_plainly(self._model, rows, run.max_new_tokens, self._stop, padding, draws):
                run.take(members[row], tokens)

        order = sorted(range(len(run.rows)), key=lambda position: (-len(run.rows[position]), run.rows[position]))
        self._in_batches(order, self._batch_size or _PLAIN_ROWS, run, write, lambda: None)

    def _in_batches(
        self,
        order: Sequence[int],
        most: int,
        run: _Run,
        write: Callable[[Sequence[int]], None],
        release: Callable[[], None],
    ) -> None:
        """Write batches of equal size in order; of half that size from where the memory runs out."""
        waiting = _evenly([list(order)], most)
        while waiting:
            members = waiting[0]
            if run.left(members):
                run.begin(members)
                failed = False
                try:
                    write(members)
                except Exception as error:
                    if not out_of_memory(error):
                        raise
                    failed = True
                if failed:  # after the except block: its traceback would keep the tensors of the failed attempt
                    release()
                    release_memory()
                    if len(members) == 1:
                        raise EngineError(
                            f"prompt {members[0]} ({len(run.rows[members[0]])} tokens) alone does not fit the memory; "
                            "shorten the prompt or lower the precision"
                        )
                    waiting = _evenly(waiting, (len(members) + 1) // 2)
                    continue
            del waiting[0]


class _Run:
    """One call of `generate`: what has been written of each row, and who has been told."""

    def __init__(
        self,
        reader: AnswerReader,
        rows: list[Tokens],
        max_new_tokens: int,
        on_answer: OnAnswer,
        answered: Collection[int],
        sampling: Sampling | None = None,
    ) -> None:
        self.rows, self.max_new_tokens = rows, max_new_tokens
        self.temperature = 0.0 if sampling is None else sampling.temperature
        self._seeds = () if sampling is None else sampling.seeds
        self._reader, self._on_answer = reader, on_answer
        self._done = set(answered)
        self._written: dict[int, list[int]] = {}

    def seeds(self, members: Sequence[int]) -> list[int]:
        """Of rows whose answers are drawn; none where they are the most probable ones."""
        return [self._seeds[position] for position in members] if self._seeds else []

    def left(self, members: Iterable[int] | None = None) -> bool:
        """Whether one of the rows (of all rows) still needs an answer."""
        return any(position not in self._done for position in (range(len(self.rows)) if members is None else members))

    def begin(self, members: Iterable[int]) -> None:
        """Forget what a failed attempt has written of the rows."""
        self._written.update((position, []) for position in members)

    def take(self, position: int, tokens: Sequence[int]) -> bool:
        """Note a row's next tokens; whether its answer is complete."""
        written = self._written[position]
        seen = len(written)
        written.extend(tokens)
        answer: Generation | None = self._reader.read(written, seen, self.max_new_tokens)
        if answer is None:
            return False
        if position not in self._done:
            self._done.add(position)
            self._on_answer(position, answer)
        return True


def _evenly(batches: Sequence[Sequence[int]], most: int) -> list[list[int]]:
    """The batches, each cut into as few parts of at most `most` as there must be, about equally large.

    >>> _evenly([[1, 2, 3, 4, 5]], 3)
    [[1, 2, 3], [4, 5]]
    """
    parts: list[list[int]] = []
    for batch in batches:
        begin, count = 0, -(-len(batch) // most)
        for number in range(count):
            end = begin + (len(batch) + count - 1 - number) // count
            parts.append(list(batch[begin:end]))
            begin = end
    return parts
