"""Did the token limit decide verdicts? Answers cut within their statement, and answers that ran on after it.

A model that has not learned to stop writes until the limit. That is harmless where a complete statement stands in the
answer already: what follows is never read. It matters where the statement itself was still being written, for nobody
knows what it would have become.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from paretune.config import BASELINE
from paretune.findings import SHARE_WORTH_A_WARNING, Finding, Level, percent
from paretune.run.lines import GeneratedAnswer
from paretune.sql.extract import is_blank, tokens
from paretune.sql.records import SqlVerdict

# Of the verdicts of one variant: as much as fine-tuning usually gains, so that no comparison would survive it.
SHARE_UNDECIDED_THAT_INVALIDATES = 25.0
# What extraction may take off the end of a statement that stands in prose without anything having followed it.
_NOTHING_MORE = " \t\r\n.*"
_QUERY = re.compile(r"[(\s]*(?:select|with|values)\b", re.IGNORECASE)
_ENDS_SELECTION = ("from", "union", "intersect", "except", "order", "limit")


def limit_findings(
    variant: str, answers: Sequence[GeneratedAnswer], verdicts: Sequence[SqlVerdict]
) -> Iterator[Finding]:
    """Findings on one variant's answers that hit the limit; none where the lines do not say how answers ended.

    answers: with `finish` and `text`; verdicts: with the extracted `sql` and the `outcome`, joined by `index`. An
    answer without a verdict is left to the finding on missing answers.
    """
    known = {line.id: line for line in answers if line.finish is not None}
    judged = [line for line in verdicts if line.index in known]
    if not judged:
        return
    cut = [line for line in judged if known[line.index].finish != "stop"]
    doubtful = [
        line for line in cut if is_undecided(known[line.index].text, line.sql, gold=line.gold, outcome=line.outcome)
    ]
    share, ran_on = (percent(count, len(judged)) for count in (len(doubtful), len(cut) - len(doubtful)))
    level: Level
    if share > SHARE_WORTH_A_WARNING:
        level = "invalid" if share > SHARE_UNDECIDED_THAT_INVALIDATES else "warning"
        correct = sum(line.outcome == "correct" for line in judged)
        correct_cut = sum(line.outcome == "correct" for line in doubtful)
        yield Finding(level, "cut-statements", {
            "variant": variant, "count": len(doubtful), "questions": len(judged), "share": share,
            "lowest": percent(correct - correct_cut, len(judged)),
            "highest": percent(correct + len(doubtful) - correct_cut, len(judged)),
        })  # fmt: skip
    if ran_on > SHARE_WORTH_A_WARNING:
        # A base model need not know how to stop; one that was trained to should.
        level = "note" if variant == BASELINE else "warning"
        yield Finding(level, "never-stops", {"variant": variant, "share": ran_on, "questions": len(judged)})


def is_undecided(text: str, sql: str, *, gold: str = "", outcome: str = "") -> bool:
    """Could more tokens have changed the verdict on an answer that hit the limit?

    Yes where no statement had begun, or where it runs to the end of the text. No where anything follows it (a
    semicolon, a fence, prose), where its first word makes it something other than a query, and where it selects
    already more columns than the gold query (only two empty results would be alike then).

    >>> is_undecided("SELECT name FROM sing", "SELECT name FROM sing")
    True
    >>> is_undecided("SELECT name FROM singer; SELECT", "SELECT name FROM singer")
    False
    """
    sql = sql.strip()
    if not sql or sql not in text:
        return True
    if outcome == "not_a_query" and _QUERY.match(sql) is None:
        return False
    if text.partition(sql)[2].strip(_NOTHING_MORE):
        return False
    wanted, found = columns(gold), columns(sql)
    return wanted is None or found is None or found <= wanted


def columns(sql: str) -> int | None:
    """How many columns the statement selects, as far as it has been written; None where that cannot be read off it.

    >>> columns("SELECT max(a, b), c FROM t"), columns("SELECT a, b, "), columns("SELECT * FROM t")
    (2, 3, None)
    """
    words = [token.lower() for token in tokens(sql) if not is_blank(token)]
    if not words or words[0] != "select":
        return None
    depth, count, previous = 0, 1, "select"
    for word in words[1:]:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in _ENDS_SELECTION:
            break
        if word == "*" and previous in ("select", "distinct", ",", "."):
            return None
        count += depth == 0 and word == ","
        previous = word
    return count
