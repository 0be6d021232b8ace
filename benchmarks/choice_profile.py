"""Where does the time of multiple-choice scoring go? (5-shot MMLU by letter)

    python -m benchmarks.choice_profile --device cuda --model DIR --mmlu DIR [--subjects a,b] [--limit 40]

For the base alone, one adapter, and base with two adapters over one plan: wall seconds; seconds of prefix and suffix
forwards with the device awaited after each; and, from one profiled pass, the device's busy seconds by kind of
operation and inside each kind of module, with the share of the wall time in which the device was idle. What an
adapter adds is the difference of its column from the base's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.choice import Ours, load, parser_of, timed, versions

# Together a sixth of MMLU, with short and long prefixes and questions.
SUBJECTS = (
    "philosophy",
    "high_school_european_history",
    "high_school_psychology",
    "professional_law",
    "college_mathematics",
    "nutrition",
)
KINDS = (
    ("matrix products", ("mm", "addmm", "bmm", "linear", "matmul", "baddbmm")),
    ("attention", ("attention", "flash", "varlen")),
    ("copies and gathers", ("copy", "cat", "index", "clone", "gather", "embedding", "fill", "zero", "contiguous")),
    ("sums and softmax", ("mean", "sum", "logsumexp", "softmax", "max", "norm")),
)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--limit", type=int, help="questions a subject (all)")
    parser.add_argument("--subjects", default=",".join(SUBJECTS), help="a,b")
    parser.add_argument("--rows", type=int, default=18, help="operations listed")
    arguments = parser.parse_args()
    subjects = [name for name in arguments.subjects.split(",") if name]
    run = Ours(*load(arguments.model, arguments.device, arguments.precision), arguments)
    run.warm_up(subjects)
    print(f"{versions()['versions']}; attention {run.attention()}")
    prompts, reading = timed(lambda: run.prompts(subjects, arguments.limit))
    plan = run.plan(prompts)
    groups, packing = timed(lambda: plan.groups)  # what scoring does while the device computes
    batches = [batch for group in groups for batch in group.batches]
    print(
        f"{len(prompts)} questions, {plan.n_tokens} places in {len(batches)} batches, {plan.n_prefix_tokens} of prefix"
    )
    print(f"reading and prompts {reading:.3f} s, tokens and packing {packing:.3f} s")
    profile(run, prompts, arguments.rows)


def profile(run: Ours, prompts: Sequence[Any], n_rows: int) -> None:
    """Print the measures of the three cases side by side."""
    columns: dict[str, dict[str, float]] = {}
    listed: list[tuple[str, float, int]] = []
    tuned: Any = None
    cases: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("base", ("baseline",)),
        ("one adapter", ("run-1",)),
        ("base + 2", ("baseline", "run-1", "run-2")),
    )
    for name, variants in cases:
        if name != "base" and tuned is None:
            tuned = run.with_random_adapters(2)
        model = tuned if tuned is not None else run.model
        _all(run, model, prompts, variants)  # shapes seen once
        column = {"wall": timed(lambda m=model, v=variants: _all(run, m, prompts, v))[1]}  # type: ignore[misc]
        column |= _waited(run, model, prompts, variants)
        kinds, modules, listed = _profiled(run, model, prompts, variants)
        column["device busy"] = sum(kinds.values())
        column["idle share of wall"] = 1 - column["device busy"] / column["wall"]
        columns[name] = column | kinds | modules
    rows = dict.fromkeys(key for column in columns.values() for key in column)
    print(f"{'seconds':<34}" + "".join(f"{name:>14}" for name in columns))
    for row in rows:
        print(f"{row:<34}" + "".join(f"{columns[name].get(row, 0.0):>14.3f}" for name in columns))
    print(
        "times the base alone: "
        + ", ".join(f"{name} {columns[name]['wall'] / columns['base']['wall']:.2f}" for name in columns)
    )
    print(f"largest operations of {cases[-1][0]}: seconds, calls")
    for operation, seconds, calls in listed[:n_rows]:
        print(f"  {operation:<60}{seconds:>9.3f}{calls:>9}")


def _all(run: Ours, model: Any, prompts: Sequence[Any], variants: Sequence[str]) -> None:
    """Score all variants over a plan of their own, as one command does after its planning."""
    run.score_variants(model, run.plan(prompts), variants)


def _waited(run: Ours, model: Any, prompts: Sequence[Any], variants: Sequence[str]) -> dict[str, float]:
    """Seconds of prefix and suffix forwards, the device awaited after each: no work of the host is hidden."""
    from paretune.engines.hf.forward import ChoiceModel

    spent: dict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        stack.enter_context(_wrapped(ChoiceModel, "prefix_caches", "awaited: prefix forwards", spent))
        stack.enter_context(_wrapped(ChoiceModel, "read", "awaited: suffix forwards and head", spent))
        stack.enter_context(_wrapped(ChoiceModel, "to_device", "awaited: batches to the device", spent))
        plan = run.plan(prompts)
        _, spent["tokens and packing"] = timed(lambda: plan.groups)
        run.score_variants(model, plan, variants)
    return dict(spent)


@contextmanager
def _wrapped(owner: Any, method: str, label: str, spent: dict[str, float]) -> Iterator[None]:
    before = getattr(owner, method)

    def measured(*args: Any) -> Any:
        _await_device()
        result, seconds = timed(lambda: before(*args))
        spent[label] += seconds
        return result

    setattr(owner, method, measured)
    try:
        yield
    finally:
        setattr(owner, method, before)


def _profiled(
    run: Ours, model: Any, prompts: Sequence[Any], variants: Sequence[str]
) -> tuple[dict[str, float], dict[str, float], list[tuple[str, float, int]]]:
    """Busy seconds by kind of operation, those inside each kind of module, and operations by their own seconds."""
    import torch
    from torch.profiler import ProfilerActivity

    on_cuda = torch.cuda.is_available() and run.arguments.device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_cuda else [])]
    plan = run.plan(prompts)
    with _labelled(model), torch.profiler.profile(activities=activities) as found:
        run.score_variants(model, plan, variants)
        _await_device()
    own = "self_device_time_total" if on_cuda else "self_cpu_time_total"
    whole = "device_time_total" if on_cuda else "cpu_time_total"
    kinds: dict[str, float] = defaultdict(float)
    modules: dict[str, float] = {}
    operations: list[tuple[str, float, int]] = []
    kernels = 0.0
    for event in found.key_averages():
        if on_cuda and str(event.device_type).endswith("CUDA") and not event.key.startswith("inside "):
            kernels += event.self_device_time_total / 1e6
        elif event.key.startswith("inside "):
            if str(event.device_type).endswith("CPU"):  # the range, not its shadow among the kernels
                modules[event.key] = getattr(event, whole) / 1e6
        elif event.key.startswith(("aten::", "torch_attn::")) and getattr(event, own) > 0:
            seconds = getattr(event, own) / 1e6
            kinds[_kind(event.key)] += seconds
            operations.append((event.key, seconds, event.count))
    if on_cuda:
        kinds["busy: kernels of no operation"] = max(0.0, kernels - sum(kinds.values()))
    operations.sort(key=lambda item: -item[1])
    return dict(sorted(kinds.items())), dict(sorted(modules.items())), operations


def _kind(operation: str) -> str:
    name = operation.split("::", 1)[1]
    for kind, words in KINDS:
        if (kind == "matrix products" and name in words) or (
            kind != "matrix products" and any(w in name for w in words)
        ):
            return f"busy: {kind}"
    return "busy: elementwise and the rest"


@contextmanager
def _labelled(model: Any) -> Iterator[None]:
    """Within, the profile holds a range for every call of a kind of module."""
    import torch

    handles: list[Any] = []
    open_ranges: list[Any] = []

    def enter(label: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            open_ranges.append(torch.profiler.record_function(label))
            open_ranges[-1].__enter__()

        return hook

    def leave(*_: Any) -> None:
        open_ranges.pop().__exit__(None, None, None)

    for name, module in model.named_modules():
        label = _label(name, module)
        if label is not None:
            handles.append(module.register_forward_pre_hook(enter(label)))
            handles.append(module.register_forward_hook(leave, always_call=True))  # a call may be broken off
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _label(name: str, module: Any) -> str | None:
    kind = type(module).__name__
    last = name.rsplit(".", 1)[-1]
    if "lora_" in name or last == "base_layer":
        return None
    for word in ("RMSNorm", "RotaryEmbedding", "Attention", "MLP"):
        if kind.endswith(word):
            return f"inside {word}"
    if kind == "Linear":  # torch's own, or PEFT's around it
        return "inside head" if last == "lm_head" else f"inside {last}"
    return None


def _await_device() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"all of this took {time.perf_counter() - start:.0f} s")
