"""The report: one HTML file that opens offline, in every language, light and dark, with every answer in it."""

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
from paretune.report.card import card_text
from paretune.report.names import short_names
from paretune.report.page.data import explorer_choice, explorer_target, packed
from paretune.report.page.first import FirstScreen, first_screen
from paretune.report.page.parts import PageTable, Places, Section, typeset
from paretune.report.page.plots import plot_colours
from paretune.report.page.progress import progress_said, progress_table
from paretune.report.page.script import script_words
from paretune.report.page.sections import MOST_IN_HEAD, sections
from paretune.report.page.validation import NOTHING_LOOKED_AT, OnValidation
from paretune.report.target_words import clusters_counted, target_say
from paretune.report.verdict import VerdictText, stated, verdict_text
from paretune.run.load import Run
from paretune.tasks import Facets
from paretune.text import LANGUAGES, Voice

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

    @property
    def count(self) -> int:
        """Findings of this kind."""
        return 1 + len(self.alike)


@dataclass(frozen=True, slots=True)
class _View:
    """The whole page in one language."""

    voice: Voice
    suffix: str
    facts: str
    verdict: VerdictText
    first: FirstScreen
    unfinished: str
    progress: PageTable | None
    card: str
    is_invalid: bool
    grave: tuple[_Said, ...]
    notes: tuple[_Said, ...]
    sections: tuple[Section, ...]


def write_page(
    records: Run,
    comparison: Comparison,
    findings: Sequence[Finding],
    folder: Path,
    voice: Voice,
    *,
    target_data: Path | None = None,
    name: str = "index.html",
    looked: OnValidation = NOTHING_LOOKED_AT,
) -> Path:
    """Write FOLDER/NAME and return it.

    voice: the language shown first; the reader can switch. findings: of audit.audit_run. target_data: the
    folder from which the task shows more than the lines hold, such as results of queries; without it the page shows
    none. looked: what was looked at before the test. The same arguments give the same bytes. Nothing is fetched when
    the page is opened; links lead to the run's files beside it.
    """
    places = Places(records.path if records.has_target else None, folder)
    voices = {shown: Voice(shown) for shown in LANGUAGES}
    views = [_view(records, comparison, findings, looked, places, shown) for shown in voices.values()]
    views.sort(key=lambda view: view.voice != voice)
    facets = records.facets
    data = {"choice": packed(explorer_choice(records))}
    if records.has_target:
        shown = {**explorer_target(records, comparison), **records.task.page(records, target_data)}
        data = {facets.lines: packed(shown), **data}
    settings = {
        "language": voice.language,
        "words": {shown: _words(facets, spoken) for shown, spoken in voices.items()},
        "one": {shown: spoken.catalogue.singular for shown, spoken in voices.items()},
        "decimal_marks": {shown: spoken.catalogue.decimal_mark for shown, spoken in voices.items()},
        "target": _target_names(facets),
        "experiment": records.name,
        "short": _short(records),
        "cards": {view.voice.language: view.card for view in views},
        "budgets": {view.voice.language: _budgets(view) for view in views},
    }
    text = _template("page.html").render(
        title=f"{records.name}: paretune",
        name=records.name,
        views=views,
        voice=voice,
        voices=voices,
        style="\n".join([_plot_style(), *map(_asset, STYLES)]),
        scripts="\n".join([_asset(SCRIPTS[0]), *records.task.scripts(), *map(_asset, SCRIPTS[1:])]),
        settings=_embedded_json(settings),
        data=data,
    )
    path = folder / name
    write_text(path, text)
    return path


def write_unfinished_page(records: Run, folder: Path, voice: Voice) -> Path:
    """Write FOLDER/index.html of a run whose base model has not answered everything: there is nothing to compare yet,
    so it says what is there and what is missing. The voice's language comes first."""
    voices = sorted((Voice(shown) for shown in LANGUAGES), key=lambda shown: shown != voice)
    views = [
        {"voice": shown, "headline": shown.say("page.no-baseline"), "progress": progress_table(records, shown)}
        for shown in voices
    ]
    hidden = [f'body:has(#in-{one}:not(:checked)) .view[lang="{one}"] {{ display: none; }}' for one in LANGUAGES]
    text = _template("unfinished.html").render(
        title=f"{records.name}: paretune",
        name=records.name,
        voice=voice,
        views=views,
        style="\n".join([_asset(STYLES[0]), *hidden]),
    )
    path = folder / "index.html"
    write_text(path, text)
    return path


def _view(
    records: Run,
    comparison: Comparison,
    findings: Sequence[Finding],
    looked: OnValidation,
    places: Places,
    voice: Voice,
) -> _View:
    said = _said(findings, voice)
    return _View(
        voice=voice,
        suffix=voice.language.lower(),
        facts=_facts(comparison, voice),
        verdict=verdict_text(comparison, voice),
        unfinished=progress_said(records, voice),
        progress=progress_table(records, voice) if records.incomplete else None,
        card=_card(records, comparison, voice),
        first=first_screen(comparison, findings, voice, f"#audit-{voice.language.lower()}"),
        is_invalid=any(item.level == "invalid" for item in said),
        grave=tuple(item for item in said if item.level != "note"),
        notes=tuple(item for item in said if item.level == "note"),
        sections=sections(records, comparison, looked, places, voice),
    )


def _short(records: Run) -> dict[str, str]:
    """Heads of columns for the variants whose names are too long for one."""
    base, *tuned = [variant.name for variant in records.variants]
    short = dict(zip(tuned, short_names(tuned, MOST_IN_HEAD), strict=True))
    return {name: head for name, head in {base: base, **short}.items() if head != name}


def _card(records: Run, comparison: Comparison, voice: Voice) -> str:
    """The pick's model card, "" where the base model is kept."""
    return "" if comparison.verdict.pick is None else card_text(records, comparison, None, voice)


def _budgets(view: _View) -> list[dict[str, Any]]:
    """Every budget's part of the first screen as it is put in place; nothing of it is computed by the program."""
    parts, say, first = _template("first.html").module, view.voice.say, view.first
    return [
        {
            "said": within.said,
            "headline": typeset(within.headline),
            "explored": typeset(within.explored),
            "tiles": str(parts.tiles(within, say)),
            "rows": str(parts.rows(within, first.base, say)),
            "reasons": str(parts.reasons(within, say)),
            "loss-head": typeset(say("claims.loss-beyond", margin=stated(within.points))),
            "beyond": typeset(within.beyond),
            "line": list(within.line),
            "pick": within.pick,
        }
        for within in first.budgets
    ]


def _said(findings: Sequence[Finding], voice: Voice) -> list[_Said]:
    """Findings in words, those of one kind together: an audit of twelve variants should still be read."""
    say = voice.say
    kinds: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for finding in findings:
        kinds.setdefault((finding.level, finding.code), []).append(finding.say(voice))
    said = []
    for (level, _), words in kinds.items():
        evidence = [_sentence(text) for text, _ in words]
        advice = " ".join(dict.fromkeys(_sentence(text) for _, text in words))
        said.append(_Said(level, say(level), evidence[0], advice, tuple(evidence[1:])))
    return said


def _facts(comparison: Comparison, voice: Voice) -> str:
    """The line under the name: which model, asked what, judged how."""
    say = voice.say
    margin = say("facts.margin", margin=stated(comparison.margin_points))
    if not comparison.has_target:
        asked = {suite.suite: suite.rows[0].accuracy.n for suite in comparison.suites}
        suites = [say("facts.logged", suite=name, questions=questions) for name, questions in asked.items()]
        return " · ".join([*suites, margin])
    parts = [comparison.model.rstrip("/").rpartition("/")[2] or say("unknown model"), comparison.precision]
    if comparison.quantization not in ("", "none"):
        parts.append(comparison.quantization)
    tell = target_say(comparison.facets, voice)
    parts.append(
        tell(
            "facts.questions",
            benchmark=comparison.target_benchmark,
            questions=comparison.questions,
            rules=voice.data_word(f"{comparison.target_rules} rules"),
            **clusters_counted(comparison.facets, voice, comparison.clusters),
        )
    )
    count = comparison.variants[0].general.n
    parts.append(say("facts.general", suite=comparison.main_suite, questions=count, method=say(comparison.main_method)))
    parts.append(margin)
    return " · ".join(part for part in parts if part)


def _sentence(text: str) -> str:
    """With a full stop at its end; its first letter stays, it may be a variant's name."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _words(facets: Facets, voice: Voice) -> dict[str, str]:
    """What the page's own program says, the task's words among it."""
    return {**script_words(voice), **facets.words.get(voice.language, {})}


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


def _plot_style() -> str:
    """The colours of plots as CSS, by theme; paper is light."""
    light, dark = plot_colours(False), plot_colours(True)
    return (
        f":root {{ {light} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f':root[data-theme="dark"] {{ {dark} }}\n'
        f"@media print {{ :root:root:root {{ {light} }} }}"
    )


def _embedded_json(value: Any) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (resources.files("paretune.report.page") / "assets" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_asset),
        finalize=lambda value: typeset(value) if type(value) is str else value,
    )


def _template(name: str) -> Any:
    return _environment().get_template(name)
