"""What comes before the first stage of a variant: the questions, the kinds of the variants, adapters that fit."""

from __future__ import annotations

from collections.abc import Sequence

from paretune.config import VariantConfig
from paretune.pipeline.check import check_adapters
from paretune.pipeline.choices import Choices, read_choices
from paretune.pipeline.prepare import is_prepared, prepare, take_prepared
from paretune.pipeline.session import Session


def start(session: Session, variants: Sequence[VariantConfig], *, training: bool = True) -> Choices:
    """Prepare, or take what is prepared, and refuse adapters that do not fit; returns the multiple choice of all."""
    if training or not is_prepared(session):
        prepare(session)
    else:
        take_prepared(session)
    note_kinds(session)
    for remark in check_adapters(session, variants):
        session.say(f"note: {remark}")
    return read_choices(session.folder, session.config.general)


def note_kinds(session: Session) -> None:
    """Say in the manifest what each variant is."""
    facts = {}
    for variant in session.config.all_variants():
        if variant.served is not None:
            kind = "served"
        elif variant.repair is not None:
            kind = "repaired"
        elif variant.source is not None:
            kind = "checkpoint" if variant.checkpoint is not None else "scaled"
        elif variant.adapter is not None:
            kind = "adapter"
        else:
            kind = "trained" if variant.is_trained else "baseline"
        facts[variant.name] = {
            "kind": kind, "source": variant.source, "adapter_scale": variant.adapter_scale,
            "checkpoint": variant.checkpoint, **({"repair": variant.repair} if variant.repair else {}),
        }  # fmt: skip
    session.note_variants(facts)
