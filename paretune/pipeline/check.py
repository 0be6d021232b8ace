"""What would stop an experiment, perhaps after hours, found before any weights are loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from paretune.config import VariantConfig
from paretune.engines import engine_kind
from paretune.errors import ModelError, ParetuneError
from paretune.models.adapters import adapter_fingerprint, check_base, read_adapter_config
from paretune.models.load import require_bitsandbytes
from paretune.models.source import ModelSource, find_configuration
from paretune.pipeline.prepare import check_length
from paretune.pipeline.session import Session
from paretune.tasks import TargetData


def find_problems(session: Session, target: TargetData) -> list[str]:
    """Why this experiment cannot be run to its end on this machine, as far as that can be known without weights."""
    problems = list(_refused(lambda: require_bitsandbytes(session.config)))
    if not engine_kind(session.config.engine.kind).takes_peft:
        return problems + list(_refused_by_engine(session, target))
    directory, source = None, None
    try:
        directory, source = find_configuration(session.config.model)
    except ModelError as error:
        problems.append(str(error))
    names = _linear_layers(directory) if directory is not None else ()
    for variant in session.config.variants:
        problems += _variant_problems(session, variant, target, names, source)
    if source is not None and not problems:
        problems += _refused(lambda: _check_prompts(session, target))
    return problems


def _refused_by_engine(session: Session, target: TargetData) -> Iterator[str]:
    """What an engine without weights of its own refuses: adapters, and prompts that do not fit."""
    engine = session.engine
    for variant in session.config.variants:
        if variant.adapter is not None:
            for reason in _refused(partial(engine.adapter_fingerprint, Path(variant.adapter))):
                yield f"variant {variant.name}: {reason}"
    yield from _refused(lambda: _check_prompts(session, target))


def _variant_problems(
    session: Session, variant: VariantConfig, target: TargetData, layers: Sequence[str], source: ModelSource | None
) -> Iterator[str]:
    if variant.adapter is not None:
        for reason in _refused(lambda: _check_adapter(Path(str(variant.adapter)), source)):
            yield f"variant {variant.name}: {reason}"
    if variant.training is not None:
        yield from _training_problems(variant, target, layers)
    if variant.checkpoint is not None and variant.source is not None:
        from paretune.training.sft import total_steps

        training = session.config.variant(variant.source).training
        if training is not None:
            steps = total_steps(len(target.training), training)
            if variant.checkpoint > steps:
                yield (
                    f"variant {variant.name}: checkpoint = {variant.checkpoint}, but {variant.source} ends after "
                    f"{steps} steps on {len(target.training)} rows"
                )


def _training_problems(variant: VariantConfig, target: TargetData, layers: Sequence[str]) -> Iterator[str]:
    assert variant.training is not None
    modules = variant.training.target_modules
    if not target.training:
        yield f"variant {variant.name}: no training rows"
    if not modules:
        yield f'variant {variant.name}: target_modules is empty; name linear layers, or "all-linear"'
    elif layers and modules != ("all-linear",):
        ends = {name.rpartition(".")[2] for name in layers}
        absent = [name for name in modules if name not in ends and not any(_ends(layer, name) for layer in layers)]
        if absent:
            yield (
                f"variant {variant.name}: target_modules: the model has no {', '.join(absent)}; it has "
                f"{', '.join(sorted(ends))}"
            )


def _ends(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _check_adapter(directory: Path, source: ModelSource | None) -> None:
    read_adapter_config(directory)
    adapter_fingerprint(directory)
    if source is not None:
        check_base(directory, source)


def _check_prompts(session: Session, target: TargetData) -> None:
    """Every prompt and its answer fit the context."""
    engine, task = session.engine, session.task
    for question in target.questions:
        tokens = engine.count_tokens(engine.render(target.messages(question), task.facets.cue))
        check_length(task, question, tokens, session.config.target.max_new_tokens, engine.context_tokens)


def _linear_layers(directory: Path) -> tuple[str, ...]:
    """Names of the model's linear layers, from its configuration: no weight is read. None where it cannot be built."""
    import torch
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(directory)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(config)
    except Exception:  # a model whose code is not here; loading will say so
        return ()
    return tuple(name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))


def _refused(check: Any) -> Iterator[str]:
    try:
        check()
    except ParetuneError as error:
        yield str(error)
