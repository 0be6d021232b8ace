"""Which option did a freely written answer choose? Read conservatively: when in doubt, none.

A model that has unlearned the format must show up as `no_answer`, not as a lucky letter. So letters in running text
do not count ("SELECT a FROM b" names no option, nor does "A bird"), and two different letters are no choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of options, in prompts and in answers
_WORDS = (
    r"(?:answer|choice|option|letter|resposta|alternativa|opção|letra)"
    r"(?:\s+(?:correct|correta|certa|final))?"
    r"(?:\s+(?:is|would\s+be|é|seria))?"
)

_SIGNS = r"(?:[\s\"'“(\[*${]|\\boxed|\\text)*"
# "The answer is A bird": an article, unless what follows goes on about the answer.
_NOT_ARTICLE = r"(?:(?<!A)|(?!\s+[a-zà-ú])|(?=\s+(?:because|since|as|or|and|porque|pois|ou|e)\b))"


def parse_letter(text: str, options: Sequence[str]) -> int | None:
    """The index of the option that an answer names, or None when it names none or several.

    Only the first paragraph counts (what follows is a new question that the model wrote itself). Rules, the first
    that applies decides:

    1. A lead: "answer", "option", "resposta", "alternativa", ... then "is" or "é" and signs, then a capital letter
       (but not "A" as an article: "the answer is A bird").
    2. The paragraph is, or begins with, a capital letter set off by punctuation, a line break or the end: "B",
       "(B)", "**B**", "B. the lark", "B) ...", "B: ...". A letter followed by a word is not enough ("A bird"), and
       another letter in brackets or bold makes it no choice.
    3. One letter in brackets or bold anywhere: "I would say (C)."
    4. The paragraph is one option's text, whatever its case and final stop.

    >>> parse_letter("The answer is (B), the lark.", ["the owl", "the lark"])
    1
    >>> parse_letter("SELECT a FROM b", ["the owl", "the lark"]) is None
    True
    """
    paragraph = re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0].strip()
    letter = f"([{LETTERS[: len(options)]}])"
    led = set(re.findall(rf"(?i:\b{_WORDS})\s*[:=]?{_SIGNS}{letter}(?![\w'’-]){_NOT_ARTICLE}", paragraph))
    if led:
        return _single(led)
    marked = {found for pair in re.findall(rf"\({letter}\)|\*\*{letter}\.?\*\*", paragraph) for found in pair if found}
    start = re.match(rf"[\"'“(\[*_]*{letter}(?:(?:[\"'”)\]*_]+|\s*[.:,;)])(?!\w)|\s*$|\s*\n)", paragraph)
    if start:
        return _single(marked | {start.group(1)})
    if marked:
        return _single(marked)
    named = [place for place, option in enumerate(options) if _plain(option) == _plain(paragraph) != ""]
    return named[0] if len(named) == 1 else None


def _single(letters: set[str]) -> int | None:
    return LETTERS.index(letters.pop()) if len(letters) == 1 else None


def _plain(text: str) -> str:
    return text.strip().rstrip(".").casefold()
