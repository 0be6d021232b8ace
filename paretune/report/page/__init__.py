"""The report: one HTML file that opens offline, in two languages, light and dark, with every answer in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from paretune.analysis.results import Comparison
from paretune.files import write_text
from paretune.findings import Finding
from paretune.report.page.data import explorer_choice, explorer_target, packed
from paretune.report.page.parts import Places, Plot, Section
from paretune.report.page.plots import page_plot
from paretune.report.page.sections import sections
from paretune.report.page.verdict import Verdict, verdict
from paretune.report.target_words import clusters_counted
from paretune.report.text_table import data_word
from paretune.run.load import Run
from paretune.tasks import Facets
from paretune.text.explorer import script_words
from paretune.text.language import LANGUAGES, ONE, Language, in_number, number, translator

STYLES = ("page.css", "explorer.css")
SCRIPTS = ("answers.js", "explorer.js", "page.js")


@dataclass(frozen=True, slots=True)
class _Said:
    """One kind of finding of the audit, in words. alike: the evidence of further findings of that kind."""

    level: str
    level_name: str
    evidence: str
    advice: str
    alike: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """The whole page in one language."""

    language: Language
    suffix: str
    facts: str
    verdict: Verdict
    plot: Plot
    is_invalid: bool
    grave: tuple[_Said, ...]
    notes: tuple[_Said, ...]
    sections: tuple[Section, ...]


def write_page(
    records: Run,
    comparison: Comparison,
    findings: Sequence[Finding],
    folder: Path,
    language: Language,
    *,
    target_data: Path | None = None,
) -> Path:
    """Write FOLDER/index.html and return it.

    language: the one shown first; the reader can switch. findings: of audit.audit_run. target_data: the
    folder from which the task shows more than the lines hold, such as results of queries; without it the page shows
    none. The same arguments give the same bytes. Nothing is fetched when the page is opened; links lead to the run's
    files beside it.
    """
    places = Places(records.path, folder)
    views = [_view(records, comparison, findings, places, shown) for shown in LANGUAGES]
    views.sort(key=lambda view: view.language != language)
    facets = records.facets
    data = {
        facets.lines: packed({**explorer_target(records, comparison), **records.task.page(records, target_data)}),
        "choice": packed(explorer_choice(records)),
    }
    settings = {"language": language, "words": _words(facets), "one": ONE, "target": _target_names(facets)}
    text = _template().render(
        title=f"{records.name}: paretune",
        name=records.name,
        views=views,
        language=language,
        say={shown: translator(shown) for shown in LANGUAGES},
        style="\n".join(_asset(name) for name in STYLES),
        scripts="\n".join([_asset(SCRIPTS[0]), *records.task.scripts(), *map(_asset, SCRIPTS[1:])]),
        settings=_embedded_json(settings),
        data=data,
    )
    path = folder / "index.html"
    write_text(path, text)
    return path


def _view(
    records: Run, comparison: Comparison, findings: Sequence[Finding], places: Places, language: Language
) -> _View:
    said = _said(findings, language)
    return _View(
        language=language,
        suffix=language.lower(),
        facts=_facts(comparison, language),
        verdict=verdict(comparison, language),
        plot=page_plot("tradeoff", comparison, places, language),
        is_invalid=any(item.level == "invalid" for item in said),
        grave=tuple(item for item in said if item.level != "note"),
        notes=tuple(item for item in said if item.level == "note"),
        sections=sections(records, comparison, places, language),
    )


def _said(findings: Sequence[Finding], language: Language) -> list[_Said]:
    """Findings in words, those of one kind together: an audit of twelve variants should still be read."""
    say = translator(language)
    kinds: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for finding in findings:
        kinds.setdefault((finding.level, finding.code), []).append(finding.say(language))
    said = []
    for (level, _), words in kinds.items():
        evidence = [_sentence(text) for text, _ in words]
        advice = " ".join(dict.fromkeys(_sentence(text) for _, text in words))
        said.append(_Said(level, say(level), evidence[0], advice, tuple(evidence[1:])))
    return said


def _facts(comparison: Comparison, language: Language) -> str:
    """The line under the name: which model, asked what, judged how."""
    say = translator(language)
    parts = [comparison.model.rstrip("/").rpartition("/")[2] or say("unknown model"), comparison.precision]
    if comparison.quantization not in ("", "none"):
        parts.append(comparison.quantization)
    target = say("{benchmark}: {questions} questions in {counted}").format(
        benchmark=comparison.target_benchmark,
        questions=comparison.questions,
        counted=clusters_counted(comparison.facets, comparison.clusters, language),
    )
    rules = data_word(f"{comparison.target_rules} rules", language)
    parts.append(f"{target}, {rules}" if comparison.target_rules else target)
    asked = comparison.variants[0].general.n
    parts.append(
        say("{suite}: {questions} questions by {method}").format(
            suite=comparison.main_suite, questions=asked, method=say(comparison.main_method)
        )
    )
    parts.append(say("margin {margin} points").format(margin=number(comparison.margin_points, language)))
    return in_number(" · ".join(part for part in parts if part), language)


def _sentence(text: str) -> str:
    """With a full stop at its end; its first letter stays, it may be a variant's name."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _words(facets: Facets) -> dict[str, dict[str, str]]:
    """What the page's own program says, by language, the task's words among it."""
    return {language: {**words, **facets.words.get(language, {})} for language, words in script_words().items()}


def _target_names(facets: Facets) -> dict[str, str]:
    """What the explorer calls things of the target; English, keys of `_words`."""
    mark = facets.marks[0] if facets.marks else ""
    return {
        "axis": facets.lines,
        "cluster": facets.cluster,
        "level": facets.level,
        "mark": facets.sentences.get(mark, mark.replace("_", " ")),
        **{name: facets.sentences.get(name, name) for name in ("reference", "no answer in the text")},
    }


def _embedded_json(value: Any) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (resources.files("paretune.report.page") / "assets" / name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("page.html"))
