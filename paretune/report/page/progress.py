"""How far a run has come: what is there of every variant, and what is missing."""

from __future__ import annotations

from paretune.report.page.parts import Cell, PageTable
from paretune.run.load import Run
from paretune.text import Voice


def progress_said(records: Run, voice: Voice) -> str:
    """In one sentence, how many variants have all their answers."""
    done, planned = len(records.variants), len(records.variants) + len(records.incomplete)
    return voice.say("page.unfinished", done=done, planned=planned, names=tuple(records.incomplete))


def progress_table(records: Run, voice: Voice) -> PageTable:
    """Lines that are there of those that are asked for, by variant."""
    say = voice.say
    rows = []
    for variant in records.all_variants:
        lines = (
            (len(variant.answers), len(records.questions)),
            (len(variant.verdicts), len(records.questions)),
            (len({(line.suite, line.id) for line in variant.choice}), len(records.choice_questions)),
        )
        cells = [Cell(say("page.progress", done=done, asked=asked)) for done, asked in lines]
        state = say("incomplete" if variant.name in records.incomplete else "complete")
        rows.append((Cell(variant.name), *cells, Cell(state)))
    header = (say("variant"), say("answers"), say("answers judged"), say("general questions"), say("state"))
    return PageTable(say("What is there and what is missing"), header, tuple(rows), words=frozenset((4,)))
