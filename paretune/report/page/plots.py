"""Plots as pieces of SVG that can stand together in one page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from paretune.analysis.results import Comparison
from paretune.report.page.parts import Plot
from paretune.report.plots import DRAWINGS, image_bytes
from paretune.report.plots.look import OKABE_ITO, ON_DARK, budget_inks, inks
from paretune.text import Voice


def page_plot(name: str, comparison: Comparison, voice: Voice) -> Plot:
    """The plot NAME of plots.DRAWINGS, for wide and narrow windows, in the page's own colours."""
    title = voice.say({"training": "Training curves", "forgetting": "Gain and forgetting by step"}[name])
    return drawn_plot(name, title, lambda narrow: DRAWINGS[name](comparison, voice, False, narrow), voice)


def drawn_plot(name: str, title: str, draw: Callable[[bool], Any], voice: Voice) -> Plot:
    """A plot for wide and narrow windows. draw: a figure for light paper, told whether it is narrow."""
    wide, narrow = (_piece(name, draw, voice, is_narrow) for is_narrow in (False, True))
    return Plot(name, title, wide, narrow)


def plot_colours(dark: bool) -> str:
    """What the colours of a plot are on light or dark paper, as CSS."""
    palette = ON_DARK if dark else OKABE_ITO
    colours = {str(number): colour for number, colour in enumerate(palette)} | inks(dark) | budget_inks(dark)
    return " ".join(f"--plot-{name}: {colour};" for name, colour in colours.items())


def _piece(name: str, draw: Callable[[bool], Any], voice: Voice, narrow: bool) -> str:
    salt = f"{name}-{voice.language}{'-narrow' if narrow else ''}"
    return _in_variables(embeddable(image_bytes(draw(narrow), "svg", salt).decode(), salt))


def _in_variables(svg: str) -> str:
    """A drawing made for light paper with its colours by name, so that it serves dark paper too."""
    names = {colour.lower(): str(number) for number, colour in enumerate(OKABE_ITO)}
    names |= {colour: name for name, colour in {**inks(dark=False), **budget_inks(dark=False)}.items()}
    return re.sub(r"(?<=: )#[0-9a-f]{6}\b", lambda found: f"var(--plot-{names[found[0]]})" if found[0] in names
                  else found[0], svg)  # fmt: skip


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
