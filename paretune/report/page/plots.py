"""Plots as pieces of SVG that can stand together in one page."""

from __future__ import annotations

import re

from paretune.analysis.results import Comparison
from paretune.report.page.parts import Plot
from paretune.report.plots import DRAWINGS, image_bytes
from paretune.text import Voice


def page_plot(name: str, comparison: Comparison, voice: Voice) -> Plot:
    """The plot NAME of plots.DRAWINGS, for light and for dark paper, for wide and narrow windows."""
    title = {"training": voice.say("Training curves")}[name]
    light, dark, narrow_light, narrow_dark = (
        _piece(name, comparison, voice, dark, narrow) for narrow in (False, True) for dark in (False, True)
    )
    return Plot(name, title, title, light, dark, narrow_light, narrow_dark)


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
