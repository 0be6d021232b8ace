"""Repair: one variant's adapter from another's, without data and without training."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from paretune.config import VariantConfig
from paretune.files import fingerprint
from paretune.models.adapters import adapter_fingerprint
from paretune.models.repairs.update import layers_of
from paretune.models.repairs.write import write_repaired
from paretune.pipeline.session import Session
from paretune.repairs import find_repair
from paretune.run.jsonl import set_aside
from paretune.training.sft import is_trained


def repair_fingerprint(session: Session, variant: VariantConfig) -> str:
    """Fingerprint of all that decides a repaired adapter. Raises RunFolderError where its source is not made yet."""
    return fingerprint(_conditions(session, variant))


def repair(session: Session, variant: VariantConfig) -> None:
    """Write the adapter of a repaired variant to its folder; nothing to do for one that is there, or for others.

    Raises ModelError for an adapter that is no plain LoRA.
    """
    if variant.repair is None:
        return
    target, mark = session.folder.variant(variant.name, "adapter"), repair_fingerprint(session, variant)
    if is_trained(target.parent, mark):
        session.say(f"{variant.name}: already repaired")
        return
    if target.exists():
        kept = set_aside(target)
        session.say(f"{variant.name}: settings or source changed; its former adapter is kept as {kept.name}")
    source = session.source_adapter(variant)
    assert source is not None
    origin = {"fingerprint": mark, "base_names": session.source.names, **_origin(session, variant)}
    found = find_repair(variant.repair)
    with session.show(f"{variant.name} {variant.repair}", layers_of(source)) as advance:
        done = write_repaired(source, found, variant.repair_settings, session.model, target, origin, advance)
    session.say(
        f"{variant.name}: {variant.repair} changed {done.changed} of {done.layers} layers; rank {done.rank}"
        + ("" if done.changed else f"; it answers as {variant.source} does")
    )
    session.note_variant(variant.name, {"repaired_layers": done.changed, "adapter_layers": done.layers})


def _origin(session: Session, variant: VariantConfig) -> dict[str, Any]:
    conditions = _conditions(session, variant)
    return {"base_weights": conditions.pop("weights"), **conditions}


def _conditions(session: Session, variant: VariantConfig) -> dict[str, Any]:
    source = session.source_adapter(variant)
    assert source is not None  # the configuration names one
    return {
        "weights": session.source.weights,
        "quantization": session.config.model.quantization,
        "source_adapter": adapter_fingerprint(source),
        "repair": variant.repair,
        "settings": asdict(variant.repair_settings),
    }
