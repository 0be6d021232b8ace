"""Sentences about the target in the words of its task."""

from __future__ import annotations

from paretune.report.text_table import data_word
from paretune.tasks import Facets
from paretune.text.language import Language, Translator, translator


def target_translator(facets: Facets, language: Language) -> Translator:
    """The function that words an English sentence about the target as its task would.

    {metric}, {Metric}, {cluster}, {clusters} and {level} in a sentence are filled in; other fields are left to the
    caller. KeyError where a translation is missing.
    """
    translate = translator(language)
    words = {name: target_word(facets, getattr(facets, name), language)
             for name in ("metric", "cluster", "clusters", "level")}  # fmt: skip
    words["Metric"] = words["metric"][:1].upper() + words["metric"][1:]

    def say(sentence: str) -> str:
        chosen = facets.sentences.get(sentence, sentence)
        text = facets.words.get(language, {}).get(chosen) or translate(chosen)
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", word)
        return text

    return say


def target_word(facets: Facets, name: str, language: Language) -> str:
    """A name that came with the task (a metric, an outcome, a level), in its own words or in ours."""
    return facets.words.get(language, {}).get(name) or data_word(name, language)


def clusters_counted(facets: Facets, count: int, language: Language) -> str:
    """How many clusters there are: "20 databases". A noun that is ours is put in the singular by `in_number`."""
    one = facets.words.get(language, {}).get(facets.cluster, facets.cluster if language == "en" else None)
    return f"1 {one}" if count == 1 and one else f"{count} {target_word(facets, facets.clusters, language)}"
