"""What would stop an experiment, perhaps after hours, found before any weights are loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from paretune.config import VariantConfig
from paretune.engines import engine_kind
from paretune.errors import ModelError, ParetuneError
from paretune.methods import find_method
from paretune.models.adapters import (
    ModuleShapes,
    adapter_fingerprint,
    check_base,
    check_declared_base,
    check_shapes,
    doubt_about_base,
)
from paretune.models.load import require_bitsandbytes
from paretune.models.repairs.update import why_not_repairable
from paretune.models.source import ModelSource, find_configuration
from paretune.pipeline.prepare import check_length
from paretune.pipeline.session import Session
from paretune.sources.adapters import find_adapter
from paretune.tasks import TargetData
from paretune.training.sft import total_steps


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
    modules = _modules(directory) if directory is not None else {}
    for variant in session.config.variants:
        problems += _variant_problems(session, variant, target, modules, source)
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
    session: Session, variant: VariantConfig, target: TargetData, modules: ModuleShapes, source: ModelSource | None
) -> Iterator[str]:
    adapter = variant.adapter
    if adapter is not None:
        model = session.config.model.path
        for reason in _refused(lambda: _check_adapter(find_adapter(adapter), source, modules, model)):
            yield f"variant {variant.name}: {reason}"
    if variant.training is not None:
        yield from _training_problems(variant, target, [name for name, shape in modules.items() if shape is not None])
    for reason in _refused(lambda: _check_repair(session, variant)):
        yield f"variant {variant.name}: {reason}"
    if variant.checkpoint is not None and variant.source is not None:
        training = session.config.variant(variant.source).training
        if training is not None:
            steps = total_steps(len(target.training), training)
            if variant.checkpoint > steps:
                yield (
                    f"variant {variant.name}: checkpoint = {variant.checkpoint}, but {variant.source} ends after "
                    f"{steps} steps on {len(target.training)} rows"
                )


def _training_problems(variant: VariantConfig, target: TargetData, layers: Sequence[str]) -> Iterator[str]:
    training = variant.training
    assert training is not None
    modules = getattr(training.settings, "target_modules", ("all-linear",))
    method = find_method(training.method)
    for reason in _refused(lambda: method.conditions(training.settings)):  # files that it reads
        yield f"variant {variant.name}: {reason}"
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


def check_adapters(session: Session, variants: Sequence[VariantConfig]) -> list[str]:
    """Refuse adapters made elsewhere that do not fit the base model, before anything is trained or answered.

    Returns remarks on those of which that cannot be told for certain. Raises ModelError or DataError.
    """
    if not engine_kind(session.config.engine.kind).takes_peft:
        return []
    owners = {variant.source or variant.name for variant in variants}
    elsewhere = [variant for variant in session.config.variants if variant.name in owners and variant.adapter]
    modules = _modules(session.source.directory) if elsewhere else {}
    for variant in elsewhere:
        _check_adapter(find_adapter(str(variant.adapter)), session.source, modules, session.source.names[0])
    for variant in variants:
        _check_repair(session, variant)
    return _doubtful_adapters(elsewhere, session.source.names)


def find_remarks(session: Session) -> list[str]:
    """Adapters made elsewhere of which it cannot be told whether the base model is their own, where none is refused."""
    if not engine_kind(session.config.engine.kind).takes_peft:
        return []
    try:
        source = find_configuration(session.config.model)[1]
        return _doubtful_adapters(session.config.variants, source.names) if source is not None else []
    except ParetuneError:  # a problem, which `find_problems` names
        return []


def _doubtful_adapters(variants: Sequence[VariantConfig], names: Sequence[str]) -> list[str]:
    remarks = []
    for variant in variants:
        doubt = doubt_about_base(find_adapter(variant.adapter), names) if variant.adapter else None
        if doubt is not None:
            remarks.append(f"variant {variant.name}: {doubt}")
    return remarks


def _check_adapter(directory: Path, source: ModelSource | None, modules: ModuleShapes, model: str) -> None:
    """model: what the experiment calls the base, which is all that is known where there is no source yet."""
    adapter_fingerprint(directory)
    if source is not None:
        check_base(directory, source)
    elif modules:  # a Hub model of which only the configuration is here
        check_declared_base(directory, (model,))
    if modules:
        check_shapes(directory, modules, model)


def _check_repair(session: Session, variant: VariantConfig) -> None:
    """Refuse the repair of an adapter made elsewhere that is no plain LoRA."""
    if variant.repair is None or variant.source is None:
        return
    adapter = session.config.variant(variant.source).adapter
    if adapter is not None and (reason := why_not_repairable(find_adapter(adapter))):
        raise ModelError(f"{adapter}: {reason}; {variant.repair} is defined for such updates only")


def _check_prompts(session: Session, target: TargetData) -> None:
    """Every prompt and its answer fit the context."""
    engine, task = session.engine, session.task
    for question in target.questions:
        tokens = engine.count_tokens(engine.render(target.messages(question), task.facets.cue))
        check_length(task, question, tokens, session.config.target.max_new_tokens, engine.context_tokens)


def _modules(directory: Path) -> ModuleShapes:
    """The model's modules, from its configuration: no weight is read. Empty where it cannot be built."""
    import torch
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(directory)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(config)
    except Exception:  # a model whose code is not here; loading will say so
        return {}
    return {
        name: (module.in_features, module.out_features) if isinstance(module, torch.nn.Linear) else None
        for name, module in model.named_modules()
    }


def _refused(check: Any) -> Iterator[str]:
    try:
        check()
    except ParetuneError as error:
        yield str(error)
