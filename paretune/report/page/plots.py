"""Plots as pieces of SVG that can stand together in one page."""

from __future__ import annotations

import re

from paretune.analysis.results import Comparison
from paretune.report.page.parts import Link, Places, Plot
from paretune.report.plots import DRAWINGS, image_bytes
from paretune.text import Voice


def page_plot(name: str, comparison: Comparison, places: Places, voice: Voice) -> Plot:
    """The plot NAME of plots.DRAWINGS, for light and for dark paper, for wide and narrow windows."""
    say = voice.say
    titles = {
        "tradeoff": say("Gain and loss against the baseline"),
        "training": say("Training curves"),
        "subjects": say("plot.subjects", suite=comparison.main_suite),
    }
    light, dark, narrow_light, narrow_dark = (
        _piece(name, comparison, voice, dark, narrow) for narrow in (False, True) for dark in (False, True)
    )
    described = _described(comparison, voice) if name == "tradeoff" else titles[name]
    note = (
        say("Within a subject, variants stand in the order of the names under the plot.") if name == "subjects" else ""
    )
    sources = _sources(name, comparison, places)
    return Plot(name, titles[name], described, light, dark, narrow_light, narrow_dark, sources, note)


def _piece(name: str, comparison: Comparison, voice: Voice, dark: bool, narrow: bool) -> str:
    salt = f"{name}-{voice.language}-{'dark' if dark else 'light'}{'-narrow' if narrow else ''}"
    figure = DRAWINGS[name](comparison, voice, dark, narrow)
    return embeddable(image_bytes(figure, "svg", salt).decode(), salt)


def embeddable(svg: str, prefix: str) -> str:
    """The <svg> element alone: its names with a prefix, no style that would reach the rest of the page, no size of
    its own, hidden from those who are told what it shows.

    >>> embeddable('<?xml version="1.0"?><svg width="9pt" height="9pt" id="a"><style>*{x: y}</style></svg>', "p")
    '<svg aria-hidden="true" focusable="false" id="p-a"></svg>'
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>|<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'((?:xlink:)?href)="#', rf'\1="#{prefix}-', svg)
    svg = svg.replace("url(#", f"url(#{prefix}-")
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head).replace("<svg", '<svg aria-hidden="true" focusable="false"')
    return re.sub(r"\n\s*", "\n", f"{head}>{rest}").strip()


def _sources(name: str, comparison: Comparison, places: Places) -> tuple[Link, ...]:
    names = [row.name for row in comparison.variants]
    if name == "training":
        return places.lines([curve.variant for curve in comparison.training], "training.jsonl")
    if name == "subjects":
        return (*places.lines(names, "choice.jsonl"), places.table("by_subject"))
    return (
        *places.lines(names, f"{comparison.facets.lines}.jsonl"),
        *places.lines(names, "choice.jsonl"),
        places.table("tradeoff"),
    )


def _described(comparison: Comparison, voice: Voice) -> str:
    """Every point in words."""
    parts = [
        voice.say("plot.point", variant=point.variant, gain=point.gain, change=point.general_change)
        for point in comparison.plane.points[1:]
    ]
    return ". ".join([voice.say("Gain and loss against the baseline"), *parts]) + "."
