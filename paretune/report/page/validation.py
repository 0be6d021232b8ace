"""The page's sections on what was looked at before the test: a search, and the dial of adapters."""

from __future__ import annotations

from dataclasses import dataclass

from paretune.analysis.dial import Dial
from paretune.report.dial import dial_table
from paretune.report.page.parts import Facts, Section, as_page_table
from paretune.report.page.plots import drawn_plot
from paretune.report.plots.dial import draw_dial
from paretune.report.plots.search import draw_search
from paretune.report.search import SearchReport, looks_table, search_table
from paretune.tasks import Facets
from paretune.text import Voice


@dataclass(frozen=True, slots=True)
class OnValidation:
    """What was looked at on validation questions: the search that stands behind a run, and its variants' dials."""

    search: SearchReport | None = None
    dials: tuple[Dial, ...] = ()


NOTHING_LOOKED_AT = OnValidation()


def validation_sections(looked: OnValidation, facets: Facets, voice: Voice) -> list[Section]:
    """None where nothing was looked at."""
    made = [] if looked.search is None else [_search(looked.search, voice)]
    return [*made, *([_dials(looked.dials, facets, voice)] if looked.dials else [])]


def _search(search: SearchReport, voice: Voice) -> Section:
    """The front as it is drawn and printed elsewhere; every look and the pick's experiment folded."""
    say = voice.say
    front, every = search_table(search, voice), looks_table(search, voice)
    tables = (as_page_table(front, words=[3]), as_page_table(every, words=[3], folded=True))
    plot = drawn_plot("search", front.title, lambda narrow: draw_search(search, voice, False, narrow), voice)
    again = (Facts(say("search.again"), plain=search.pick, folded=True, copied=True),) if search.pick else ()
    return Section("search", say("search.section"), say("search.claim"), tables, (plot,), again)


def _dials(dials: tuple[Dial, ...], facets: Facets, voice: Voice) -> Section:
    say = voice.say
    plots, tables = [], []
    for at, dial in enumerate(dials):
        title = say("dial.plot", variant=dial.variant)
        plots.append(drawn_plot(f"dial-{at}", title, lambda narrow, dial=dial: draw_dial(dial, facets, voice, False,
                                narrow), voice))  # type: ignore[misc]  # fmt: skip
        picked = "" if dial.pick is None else dial.pick.name
        table = dial_table(dial, facets, voice)
        tables.append(as_page_table(table, words=[len(table.header) - 1], picked=picked))
    return Section("dial", say("dial.section"), say("dial.introduction"), tuple(tables), tuple(plots))
