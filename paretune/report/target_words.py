"""Sentences about the target in the words of its task."""

from __future__ import annotations

from collections.abc import Callable

from paretune.tasks import Facets
from paretune.text import Field, Voice


def target_say(facets: Facets, voice: Voice) -> Callable[..., str]:
    """`voice.say` for sentences about the target: the task's own sentence where it has one, and the fields metric,
    Metric, cluster, clusters and level filled in."""
    named = {name: target_word(facets, voice, getattr(facets, name))
             for name in ("metric", "cluster", "clusters", "level")}  # fmt: skip
    named["Metric"] = named["metric"][:1].upper() + named["metric"][1:]

    def say(text: str, /, **fields: Field) -> str:
        return voice.say(facets.sentences.get(text, text), **{**named, **fields})

    return say


def target_word(facets: Facets, voice: Voice, name: str) -> str:
    """A name that came with the task (a metric, a level), in its own words or in ours."""
    return facets.words.get(voice.language, {}).get(name) or voice.data_word(name)


def target_label(facets: Facets, voice: Voice, name: str, *families: str) -> str:
    """An outcome or a reason as a reader would call it, in the task's words or in ours."""
    own = facets.words.get(voice.language, {})
    known = next((own[key] for key in (f"{family}:{name}" for family in families) if key in own), None)
    return known or voice.label(name, *families)


def clusters_counted(facets: Facets, voice: Voice, count: int) -> dict[str, Field]:
    """The fields of a sentence that says how many clusters there are."""
    return {"databases": count, "count": count,
            "clusters": target_word(facets, voice, facets.cluster if count == 1 else facets.clusters)}  # fmt: skip
