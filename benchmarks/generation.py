"""How fast are answers written, against plain `model.generate` in the same run, and are they as good?

    python -m benchmarks.generation --model DIR|GGUF --out FILE                           (CPU: the demo's questions)
    python -m benchmarks.generation --model DIR|GGUF --out FILE --spider DIR --device cuda

Plain: static batches of 128 (CPU: 16) in order of length, each until its last answer has ended. Ours: the engine as an
experiment uses it, base first, then adapters over it, unmerged (random ones with an effect unless some are given).
Seconds are those of writing alone: loading, and one warm-up of 8 questions, are not in them. Limits: the weights read
once a step at the device's copy bandwidth, and the operations of all tokens that had to be computed at its matrix
throughput, both measured in the same run. Execution accuracy by the official rules needs --spider (or is the demo's).
A model directory without weights gives a random model of its config.json: the same work, answers without meaning.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.choice import load, timed, versions
from paretune.engines.base import Generation, Sampling
from paretune.sql.prompt import SqlPromptBuilder
from paretune.sql.records import SqlOutcome, SqlPrediction, SqlQuestion
from paretune.sql.spider import database_path, read_split
from paretune.tasks import Ending


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="directory or GGUF file")
    parser.add_argument("--spider", type=Path, help="Spider's folder (default: the embedded demo)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--questions", type=int, help="the first so many (default: all)")
    parser.add_argument("--max-new-tokens", type=int, default=256)
    parser.add_argument("--rows", type=int, help="ours: rows computed together at most")
    parser.add_argument("--stop", choices=("turn", "statement"), default="turn", help="ours: where answers end")
    parser.add_argument("--plain-batch", type=int, help="default: 128, cpu: 16; 0: plain is left out")
    parser.add_argument("--adapters", nargs="+", type=Path, default=[], metavar="DIR")
    parser.add_argument("--random-adapters", type=int, help="where none are given (default: 2; cpu: 0)")
    parser.add_argument("--memory-fraction", type=float, help="of the GPU, which the process may take")
    parser.add_argument("--out", type=Path, required=True, help="JSON file of all figures")
    parser.add_argument("--unscored", action="store_true", help="leave out execution accuracy")
    parser.add_argument("--temperature", type=float, help="draw the answers as well: by graphs, and in batches of 64")
    parser.add_argument("--answers", type=Path, help="folder for the answers of each way, as JSON lists")
    arguments = parser.parse_args()
    table = Run(arguments).table()
    for name, value in table.items():
        print(f"{name:<48}  {value}")
    arguments.out.write_text(json.dumps(table, indent=1, default=str))


class Run:
    """One model, one list of prompts, and what each way of writing did with them."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        import torch

        self.arguments = arguments
        self.on_cuda = arguments.device == "cuda"
        if arguments.memory_fraction:
            torch.cuda.set_per_process_memory_fraction(arguments.memory_fraction)
        precision = arguments.precision or ("bfloat16" if self.on_cuda else "float32")
        (self.model, self.tokenizer), loading = timed(lambda: load(arguments.model, arguments.device, precision))
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.spider = arguments.spider or _demo()
        self.questions = read_split(self.spider, "dev")[: arguments.questions]
        self.prompts = prompts_of(self.tokenizer, self.spider, self.questions)
        self.head = {"model": Path(arguments.model).name, "precision": precision, **versions()}
        self.head |= {"seconds to load": round(loading, 1), "questions": len(self.questions)}
        self.said: list[str] = []
        self.processor_seconds = 0.0  # of the last work measured

    def table(self) -> dict[str, Any]:
        arguments, table = self.arguments, dict(self.head)
        self.ours(self.model, self.prompts[:8])
        answers, seconds, peak = self.measured(lambda: self.ours(self.model, self.prompts))
        processor_seconds = self.processor_seconds
        table |= self.report("ours", answers, seconds, peak)
        table |= self.limits(answers, seconds)
        batch = (128 if self.on_cuda else 16) if arguments.plain_batch is None else arguments.plain_batch
        if batch:
            plain, plain_seconds, plain_peak = self.measured(lambda: self.plain(batch))
            table |= self.report("plain", plain, plain_seconds, plain_peak)
            table["times plain"] = round(plain_seconds / seconds, 2)
            table["times plain, by processor seconds"] = round(self.processor_seconds / processor_seconds, 2)
            same = sum(one.text == other.text for one, other in zip(answers, plain, strict=True))
            table["answers equal to plain"] = f"{same} of {len(plain)}"
        if arguments.temperature:
            table |= self.drawn(arguments.temperature)
        table |= self.with_adapters(seconds)
        table["said"] = self.said
        return table

    def ours(
        self, model: Any, prompts: Sequence[str], *, rows: int | None = None, temperature: float = 0.0
    ) -> list[Generation]:
        from paretune.engines.hf.generate import TransformersEngine

        ending = _ending(stops=self.arguments.stop == "statement")
        rows = rows or self.arguments.rows
        engine = TransformersEngine(model, self.tokenizer, rows, ending=ending, say=self.said.append)
        answers: dict[int, Generation] = {}
        sampling = Sampling(temperature, tuple(range(len(prompts)))) if temperature else None
        engine.generate(prompts, self.arguments.max_new_tokens, answers.__setitem__, sampling=sampling)
        return [answers[position] for position in range(len(prompts))]

    def drawn(self, temperature: float) -> dict[str, Any]:
        """One drawn answer per question, and whether batches of another size draw the same."""
        self.ours(self.model, self.prompts[:8], temperature=temperature)
        draw = partial(self.ours, self.model, self.prompts, temperature=temperature)
        answers, seconds, peak = self.measured(draw)
        table = self.report("drawn", answers, seconds, peak)
        in_parts, _, _ = self.measured(partial(draw, rows=64))
        same = sum(one.text == other.text for one, other in zip(answers, in_parts, strict=True))
        return table | {"drawn: answers equal in batches of 64": f"{same} of {len(answers)}"}

    def plain(self, batch: int) -> list[Generation]:
        """The library's own loop: left-padded batches, each until its last answer has ended."""
        import torch

        from paretune.engines.hf.answers import AnswerReader
        from paretune.models.chat import encode_all, stop_token_ids

        stop = stop_token_ids(self.tokenizer, self.model.generation_config)
        reader = AnswerReader(self.tokenizer, stop, _ending(stops=False))
        rows = encode_all(self.tokenizer, self.prompts)
        order = sorted(range(len(rows)), key=lambda place: -len(rows[place]))
        limit, padding = self.arguments.max_new_tokens, self.tokenizer.pad_token_id
        answers: dict[int, Generation] = {}
        for start in range(0, len(order), batch):
            members = order[start : start + batch]
            longest = max(len(rows[place]) for place in members)
            ids = torch.tensor([[padding] * (longest - len(rows[place])) + rows[place] for place in members])
            mask = torch.tensor([[0] * (longest - len(rows[place])) + [1] * len(rows[place]) for place in members])
            with torch.inference_mode():
                output = self.model.generate(
                    input_ids=ids.to(self.model.device),
                    attention_mask=mask.to(self.model.device),
                    max_new_tokens=limit,
                    do_sample=False,
                    num_beams=1,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    repetition_penalty=1.0,
                    eos_token_id=stop,
                    pad_token_id=padding,
                )
            for place, tokens in zip(members, output[:, longest:].tolist(), strict=True):
                answer = reader.read(tokens, 0, len(tokens))
                assert answer is not None
                answers[place] = answer
        return [answers[place] for place in range(len(rows))]

    def measured(self, work: Callable[[], list[Generation]]) -> tuple[list[Generation], float, float | None]:
        """What the work returns, its seconds, and the peak of the GPU's memory in GiB."""
        import torch

        if self.on_cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        start = time.process_time()
        answers, seconds = timed(work)
        self.processor_seconds = time.process_time() - start
        return answers, seconds, torch.cuda.max_memory_allocated() / 2**30 if self.on_cuda else None

    def report(self, name: str, answers: Sequence[Generation], seconds: float, peak: float | None) -> dict[str, Any]:
        if self.arguments.answers:
            self.arguments.answers.mkdir(parents=True, exist_ok=True)
            texts = [answer.text for answer in answers]
            (self.arguments.answers / f"{name}.json").write_text(json.dumps(texts, indent=0))
        tokens = sum(answer.tokens for answer in answers)
        finishes = {answer.finish for answer in answers}
        figures: dict[str, Any] = {
            f"{name}: seconds": round(seconds, 2),
            f"{name}: processor seconds": round(self.processor_seconds, 2),
            f"{name}: answers per second": round(len(answers) / seconds, 1),
            f"{name}: tokens written": tokens,
            f"{name}: tokens per second": round(tokens / seconds),
            f"{name}: tokens of the longest answer": max(answer.tokens for answer in answers),
            f"{name}: chatter tokens": sum(answer.chatter_tokens for answer in answers),
            f"{name}: ended by": {kind: sum(answer.finish == kind for answer in answers) for kind in sorted(finishes)},
        }
        if not self.arguments.unscored:
            figures[f"{name}: execution accuracy"] = self.accuracy(answers)
        return figures if peak is None else figures | {f"{name}: peak memory, GiB": round(peak, 1)}

    def accuracy(self, answers: Sequence[Generation]) -> float:
        """Points, by the official rules."""
        from paretune.sql.score import ScoreSettings, score_predictions

        predictions = [
            SqlPrediction(question.index, question.db_id, question.question, question.gold, answer.text)
            for question, answer in zip(self.questions, answers, strict=True)
        ]
        settings = ScoreSettings(rules="official", limit_seconds=30.0)
        verdicts = list(score_predictions(predictions, self.spider / "database", settings))
        return round(100 * sum(verdict.outcome is SqlOutcome.CORRECT for verdict in verdicts) / len(verdicts), 2)

    def limits(self, answers: Sequence[Generation], seconds: float) -> dict[str, Any]:
        """What the device's bandwidth and arithmetic allow at best, as shares of the seconds measured."""
        import torch

        from paretune.engines.hf.beginnings import covered, find_beginnings
        from paretune.models.chat import encode_all

        rows = encode_all(self.tokenizer, self.prompts)
        beginnings = find_beginnings(rows)
        shared = sum(beginning.end - beginning.start for beginning in beginnings)
        own = sum(map(len, rows)) - sum(covered(beginnings, len(rows)))
        written = sum(answer.tokens for answer in answers)
        weights = sum(parameter.numel() for parameter in self.model.parameters())
        head, table = (layer().weight for layer in (self.model.get_output_embeddings, self.model.get_input_embeddings))
        body = weights - head.numel() - (0 if head is table else table.numel())
        size = 8192 if self.on_cuda else 1024
        left, right = (torch.randn(size, size, device=self.arguments.device, dtype=self.model.dtype) for _ in range(2))
        for _ in range(3):
            left @ right
        _, spent = timed(lambda: [left @ right for _ in range(10)])
        throughput = 10 * 2 * size**3 / spent
        block = torch.ones(2**29 if self.on_cuda else 2**26, device=self.arguments.device, dtype=torch.float32)
        goal = torch.empty_like(block)
        goal.copy_(block)
        _, spent = timed(lambda: [goal.copy_(block) for _ in range(10)])
        bandwidth = 10 * 2 * 4 * block.numel() / spent
        arithmetic = 2 * (body * (shared + own + written) + head.numel() * written) / throughput
        steps = max(answer.tokens for answer in answers)
        reading = steps * (body + head.numel()) * self.model.dtype.itemsize / bandwidth
        return {
            "prompt tokens": sum(map(len, rows)),
            "prompt tokens computed, beginnings once": shared + own,
            "matrix throughput, 10^12/s": round(throughput / 1e12, 2),
            "copy bandwidth, 10^9 bytes/s": round(bandwidth / 1e9),
            "seconds at the arithmetic limit": round(arithmetic, 2),
            "seconds to read the weights once a step": round(reading, 2),
            "share of the arithmetic limit": round(arithmetic / seconds, 3),
            "share of the limit of both": round(max(arithmetic, reading) / seconds, 3),
        }

    def with_adapters(self, base_seconds: float) -> dict[str, Any]:
        from peft import LoraConfig, PeftModel, get_peft_model

        paths = self.arguments.adapters
        wanted = self.arguments.random_adapters
        n_adapters = len(paths) or (2 * self.on_cuda if wanted is None else wanted)
        if not n_adapters:
            return {}
        names = [f"run-{number}" for number in range(1, n_adapters + 1)]
        config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        add: dict[str, Any] = {"autocast_adapter_dtype": False}
        if paths:
            tuned = PeftModel.from_pretrained(self.model, str(paths[0]), names[0], **add)
            for path, name in zip(paths[1:], names[1:], strict=True):
                tuned.load_adapter(str(path), name, **add)
        else:
            tuned = get_peft_model(self.model, config, adapter_name=names[0], **add)
            for name in names[1:]:
                tuned.add_adapter(name, config, **add)
        _fill(tuned, self.model.dtype, randomly=not paths)
        tuned.eval()
        table: dict[str, Any] = {}
        total = base_seconds
        for name in names:
            tuned.set_adapter(name)
            self.ours(tuned, self.prompts[:8])
            answers, seconds, peak = self.measured(lambda: self.ours(tuned, self.prompts))
            table |= self.report(name, answers, seconds, peak)
            total += seconds
        table[f"base and {n_adapters} unmerged adapters, seconds"] = round(total, 2)
        self.model = tuned.unload()
        return table


def prompts_of(tokenizer: Any, spider: Path, questions: Sequence[SqlQuestion]) -> list[str]:
    """The rendered prompts of an experiment with the default settings."""
    from functools import cache

    from paretune.models.chat import render
    from paretune.sql.database import schema_text

    @cache
    def shown(db_id: str) -> str:
        return schema_text(database_path(spider, db_id), "create_table", 0)

    builder = SqlPromptBuilder(shown)
    return [render(tokenizer, builder.messages(question)) for question in questions]


def _ending(*, stops: bool) -> Ending:
    from paretune.sql.extract import END_MARKS, statement_end

    return Ending(statement_end, END_MARKS, stops)


def _demo() -> Path:
    from paretune.demo.build import demo_directory

    return demo_directory() / "spider"


def _fill(tuned: Any, dtype: Any, *, randomly: bool) -> None:
    """Adapters in the base's precision; random ones so small that answers stay answers, but with an effect."""
    import torch

    torch.manual_seed(0)
    for name, parameter in tuned.named_parameters():
        if "lora_" in name:
            if randomly and "lora_B" in name:
                parameter.data.normal_(0.0, 2e-3)
            parameter.data = parameter.data.to(dtype)


if __name__ == "__main__":
    main()
