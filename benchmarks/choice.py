"""How fast is multiple-choice scoring, and does it say what lm-eval says? (5-shot MMLU by letter)

    python -m benchmarks.choice --device cpu  --model DIR|GGUF --mmlu DIR [--limit 50]
    python -m benchmarks.choice --device cuda --model DIR      --mmlu DIR [--lm-eval-limit 20]

cpu: philosophy and high_school_computer_science, the first 50 questions each, ours and lm-eval in one run over the same
weights. cuda: all of MMLU, then base and two random adapters over one plan, lm-eval on the first --lm-eval-limit
questions a subject (0: all; -1: not at all), and what share of the device's matrix throughput, measured in the same
run, the useful operations are. Seconds include reading the files, prompts, tokenisation and packing; loading and one
warm-up of 8 questions are not in them, nor is one with an adapter, whose seconds are shown. A model directory without
weights gives a random model of its config.json: the same work, verdicts without meaning.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.choice.prompts import build_prompts
from paretune.choice.suites.load import load_suite, select_questions
from paretune.records import ChoiceAnswer, ChoicePrompt, ChoiceQuestion
from paretune.stats.intervals import accuracy_interval

SHOTS = 5
CPU_SUBJECTS = ("philosophy", "high_school_computer_science")


@dataclass(frozen=True)
class Work:
    """Useful operations of a run. tokens: real ones, prefixes included."""

    tokens: int
    places: int
    padding: float
    operations: float


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """What is asked of which model, and how: the options of this benchmark and of choice_profile."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="directory or GGUF file")
    parser.add_argument("--mmlu", type=Path, required=True, help="folder with dev/ and test/")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", default="bfloat16", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--token-budget", type=int)
    parser.add_argument("--row-tokens", type=int)
    return parser


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--limit", type=int, help="questions a subject (cpu: 50, cuda: all)")
    parser.add_argument("--subjects", default="", help="a,b (cpu: the two above, cuda: all)")
    parser.add_argument("--lm-eval-limit", type=int, help="questions a subject (cpu: as ours, cuda: 20); -1: skip")
    parser.add_argument("--lm-eval-batch", type=int, help="its batch size (cpu: 1, cuda: 32)")
    parser.add_argument("--adapters", type=int, help="random adapters beside the base (cpu: 0, cuda: 2)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    on_cuda = arguments.device == "cuda"
    subjects = [name for name in arguments.subjects.split(",") if name] or ([] if on_cuda else list(CPU_SUBJECTS))
    limit = arguments.limit or (None if on_cuda else 50)
    theirs = (20 if on_cuda else limit) if arguments.lm_eval_limit is None else arguments.lm_eval_limit
    model, tokenizer = load(arguments.model, arguments.device, arguments.precision)
    run = Ours(model, tokenizer, arguments)
    run.warm_up(subjects)
    table: dict[str, Any] = {"model": Path(arguments.model).name, "device": arguments.device}
    table |= {"precision": arguments.precision} | versions()
    answers, seconds = run.base(subjects, limit)
    table |= run.report(answers, seconds)
    n_adapters = (2 if on_cuda else 0) if arguments.adapters is None else arguments.adapters
    if n_adapters:
        table |= run.adapters(subjects, limit, n_adapters, seconds)
    if on_cuda:
        table |= arithmetic(run.work, seconds, arguments.precision)
    if theirs is None or theirs >= 0:
        wanted = {answer.id for answer in answers}
        questions = [item for item in run.questions(subjects, theirs or None) if item.id in wanted]
        batch = arguments.lm_eval_batch or (32 if on_cuda else 1)
        table |= compare(run, questions, answers, seconds, batch)
    width = max(map(len, table))
    for name, value in table.items():
        print(f"{name:<{width}}  {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=1, default=str))


def load(path: str, device: str, precision: str) -> tuple[Any, Any]:
    """Model and tokenizer of a directory (random weights where it has none) or a GGUF file."""
    import torch
    import transformers

    folder = Path(path)
    if not folder.is_dir() or any(folder.glob("*.safetensors")):
        from paretune.config import ModelConfig
        from paretune.models.load import load_model

        loaded = load_model(ModelConfig(path=path, precision=precision))  # type: ignore[arg-type]  # checked by argparse
        return loaded.model.to(device), loaded.tokenizer
    config = transformers.AutoConfig.from_pretrained(folder)
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, precision))
    return model.eval(), transformers.AutoTokenizer.from_pretrained(folder)


class Ours:
    """The project's scoring, timed."""

    def __init__(self, model: Any, tokenizer: Any, arguments: argparse.Namespace) -> None:
        self.model, self.tokenizer, self.arguments = model, tokenizer, arguments
        self.work = Work(0, 0, 0.0, 0.0)
        self.parts: dict[str, float] = {}

    def questions(self, subjects: Sequence[str], limit: int | None) -> list[ChoiceQuestion]:
        suite = load_suite("mmlu", self.arguments.mmlu, subjects=subjects, shots=SHOTS)
        return list(select_questions(suite, limit_per_subject=limit, selection="first", seed=0))

    def prompts(self, subjects: Sequence[str], limit: int | None) -> list[ChoicePrompt]:
        suite = load_suite("mmlu", self.arguments.mmlu, subjects=subjects, shots=SHOTS)
        questions = select_questions(suite, limit_per_subject=limit, selection="first", seed=0)
        return build_prompts(suite, questions, shots=SHOTS, method="letter")

    def plan(self, prompts: Sequence[ChoicePrompt]) -> Any:
        from paretune.engines.hf.options import plan_choices

        return plan_choices(
            self.tokenizer,
            prompts,
            device=self.arguments.device,
            token_budget=self.arguments.token_budget,
            row_tokens=self.arguments.row_tokens,
        )

    def score(self, model: Any, plan: Any, variant: str) -> list[ChoiceAnswer]:
        from paretune.choice.verdict import judge
        from paretune.engines.base import OptionLogprobs
        from paretune.engines.hf.options import score_plan

        answers: list[ChoiceAnswer] = []

        def on_options(place: int, options: OptionLogprobs) -> None:
            prompt, tokens = plan.prompts[place], options.prompt_tokens
            answers.append(judge(prompt, options.values, "mmlu", variant, prompt_tokens=tokens))

        score_plan(model, plan, on_options)
        return answers

    def score_variants(self, model: Any, plan: Any, variants: Sequence[str]) -> dict[str, float]:
        """Seconds of each variant over one plan: "baseline", or the name of an adapter on the model."""
        seconds: dict[str, float] = {}
        for variant in variants:
            with _as_variant(model, variant):
                _, seconds[variant] = timed(lambda name=variant: self.score(model, plan, name))  # type: ignore[misc]
        return seconds

    def attention(self) -> str:
        from paretune.engines.hf.forward import ChoiceModel

        return "by parts where it pays" if ChoiceModel(self.model).by_parts else "masked"

    def warm_up(self, subjects: Sequence[str]) -> None:
        self.score(self.model, self.plan(self.prompts(subjects[:1] or ["philosophy"], 8)), "warm-up")

    def base(self, subjects: Sequence[str], limit: int | None) -> tuple[list[ChoiceAnswer], float]:
        prompts, reading = timed(lambda: self.prompts(subjects, limit))
        plan, planning = timed(lambda: self.plan(prompts))
        answers, scoring = timed(lambda: self.score(self.model, plan, "baseline"))
        self.work = useful_work(self.model, plan)
        self.parts = {"reading": reading, "planning": planning, "scoring": scoring}
        return answers, reading + planning + scoring

    def adapters(self, subjects: Sequence[str], limit: int | None, count: int, one: float) -> dict[str, Any]:
        """Base and adapters over one plan, against the base alone (`one`) and against one adapter alone."""
        tuned = self.with_random_adapters(count)
        few = self.plan(self.prompts(subjects[:1] or ["philosophy"], 8))
        warm_up = self.score_variants(tuned, few, ["run-1"])["run-1"]
        start = time.perf_counter()
        plan = self.plan(self.prompts(subjects, limit))
        planned = time.perf_counter() - start
        each = self.score_variants(tuned, plan, ["baseline", *(f"run-{number}" for number in range(1, count + 1))])
        together = planned + sum(each.values())
        adapter_alone = planned + each["run-1"]
        self.model = tuned.unload()
        return {
            "warm-up with an adapter, seconds": round(warm_up, 2),
            f"base + {count} adapters, seconds": round(together, 2),
            "  parts": {name: round(value, 2) for name, value in {"planning": planned, **each}.items()},
            "  times the base alone": round(together / one, 2),
            "  times one adapter alone": round(together / adapter_alone, 2),
        }

    def report(self, answers: Sequence[ChoiceAnswer], seconds: float) -> dict[str, Any]:
        found = accuracy_interval([item.correct for item in answers], [item.subject for item in answers])
        return {
            "questions": len(answers),
            "accuracy, micro": f"{found.estimate:.1f} [{found.low:.1f}; {found.high:.1f}]",
            "seconds": round(seconds, 2),
            "  of these": {name: round(value, 2) for name, value in self.parts.items()},
            "questions a second": round(len(answers) / seconds, 1),
            "tokens computed": self.work.tokens,
            "padding share": round(self.work.padding, 3),
            "attention": self.attention(),
        }

    def with_random_adapters(self, count: int) -> Any:
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
        )
        tuned = get_peft_model(self.model, config, adapter_name="run-1", autocast_adapter_dtype=False)
        for number in range(2, count + 1):
            tuned.add_adapter(f"run-{number}", config, autocast_adapter_dtype=False)
        for name, parameter in tuned.named_parameters():
            if "lora_" in name:
                parameter.data = parameter.data.to(self.model.dtype)
        return tuned.eval()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result and seconds, the device's queue emptied on both sides."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return result, time.perf_counter() - start


@contextmanager
def _as_variant(model: Any, variant: str) -> Iterator[None]:
    if variant != "baseline":
        model.set_adapter(variant)
    with model.disable_adapter() if variant == "baseline" and hasattr(model, "peft_config") else nullcontext():
        yield


def useful_work(model: Any, plan: Any) -> Work:
    """Operations that the answers need: 2 a weight and token, 4 a head dimension and visible pair, no padding.

    The last layer is needed for keys and values of every token, and for all else at the places read.
    """
    config = model.config
    decoder = getattr(model, model.base_model_prefix)
    weights = sum(parameter.numel() for parameter in decoder.parameters())
    weights -= model.get_input_embeddings().weight.numel()
    at_reads = _weights_at_reads(decoder)
    head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    width = head_size * config.num_attention_heads
    tokens = pairs = read_pairs = places = computed = 0
    for group in plan.groups:
        length = len(group.prefix)
        tokens, pairs, computed = tokens + length, pairs + length * (length + 1) // 2, computed + length
        for batch in group.batches:
            places += len(batch.places)
            computed += batch.n_tokens
            for tree in batch.trees:
                seen = length + tree.depth + 1
                tokens, pairs = tokens + len(tree), pairs + int(seen.sum())
                read_pairs += int(seen[sorted(set(tree.reads[:, 0].tolist()))].sum())
    head = model.get_output_embeddings().weight.numel()
    products = (weights - at_reads) * tokens + (at_reads + head) * places
    attended = (config.num_hidden_layers - 1) * pairs + read_pairs
    return Work(tokens, places, 1 - tokens / computed, 2.0 * products + 4.0 * width * attended)


def _weights_at_reads(decoder: Any) -> int:
    """Weights of the last layer that only the places read need: all but those before and of its keys and values."""
    everywhere = ("k_proj", "v_proj", "input_layernorm", "k_norm")
    last = decoder.layers[-1].named_parameters()
    return sum(parameter.numel() for name, parameter in last if not any(part in name for part in everywhere))


def arithmetic(work: Work, seconds: float, precision: str) -> dict[str, Any]:
    """The share of the device's limit, from one large matrix product in the same run."""
    import torch

    size = 8192
    left, right = (torch.randn(size, size, device="cuda", dtype=getattr(torch, precision)) for _ in range(2))
    for _ in range(3):
        left @ right
    _, spent = timed(lambda: [left @ right for _ in range(10)])
    limit = 10 * 2 * size**3 / spent
    return {
        "useful operations, 10^12": round(work.operations / 1e12, 1),
        "matrix throughput, 10^12/s": round(limit / 1e12, 1),
        "share of the arithmetic limit": round(work.operations / seconds / limit, 3),
    }


def compare(
    run: Ours, questions: Sequence[ChoiceQuestion], answers: Sequence[ChoiceAnswer], seconds: float, batch: int
) -> dict[str, Any]:
    """lm-eval on the questions: its seconds, and how many verdicts differ from ours."""
    verdicts, theirs = timed(lambda: lm_eval_verdicts(run, questions, batch))
    ours = {answer.id: answer.correct for answer in answers}
    differ = sorted(name for name, right in verdicts.items() if ours[name] != right)
    share = len(verdicts) / len(ours)
    return {
        "lm-eval questions": len(verdicts),
        "lm-eval seconds": round(theirs, 2),
        "lm-eval questions a second": round(len(verdicts) / theirs, 2),
        "times faster (by questions a second)": round(theirs / share / seconds, 2),
        "verdicts that differ": f"{len(differ)} of {len(verdicts)} {differ[:5]}",
    }


def lm_eval_verdicts(run: Ours, questions: Sequence[ChoiceQuestion], batch: int) -> dict[str, bool]:
    """lm-eval's `acc` for each question, its own prompts, over the same loaded model."""
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    suite = load_suite(
        "mmlu", run.arguments.mmlu, subjects=list(dict.fromkeys(q.subject for q in questions)), shots=SHOTS
    )
    names: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        tasks = []
        for subject in dict.fromkeys(question.subject for question in questions):
            own = [question for question in questions if question.subject == subject]
            names[f"ours_{subject}"] = [question.id for question in own]
            tasks.append(_task(Path(folder), subject, own, suite.shots[subject]))
        found = simple_evaluate(
            model=HFLM(pretrained=run.model, tokenizer=run.tokenizer, batch_size=batch),
            tasks=tasks,
            num_fewshot=SHOTS,
            bootstrap_iters=0,
            log_samples=True,
        )
    samples = found["samples"]
    return {names[task][sample["doc_id"]]: bool(sample["acc"]) for task in names for sample in samples[task]}


def _task(folder: Path, subject: str, questions: Sequence[ChoiceQuestion], shots: Sequence[ChoiceQuestion]) -> Any:
    files = {}
    for split, rows in (("test", questions), ("dev", shots)):
        path = folder / f"{subject}-{split}.jsonl"
        lines = [{"question": row.question, "choices": list(row.options), "answer": row.answer} for row in rows]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        files[split] = str(path)
    topic = subject.replace("_", " ")
    return {
        "task": f"ours_{subject}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "output_type": "multiple_choice",
        "description": f"The following are multiple choice questions (with answers) about {topic}.\n\n",
        "doc_to_text": "{{question.strip()}}\n"
        "A. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\nD. {{choices[3]}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }


def versions() -> dict[str, str]:
    import torch
    import transformers

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    return {"versions": f"torch {torch.__version__}, transformers {transformers.__version__}, {device}"}


if __name__ == "__main__":
    main()
