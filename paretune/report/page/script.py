"""Which words the page's own program says, so that the page holds them in every language."""

from __future__ import annotations

from paretune.text import Voice

SAID = (
    "Dark",
    "Light",
    "All questions and answers",
    "{shown} of {all} questions",
    "any",
    "newly right",
    "no longer right",
    "right before and after",
    "wrong before and after",
    "any change",
    "question",
    "database",
    "subject",
    "hardness",
    "easy",
    "medium",
    "hard",
    "extra",
    "unknown",
    "prompt",
    "reference SQL",
    "reference",
    "group",
    "level",
    "no answer in the text",
    "not in the reference",
    "only in the reference",
    "differs from the reference",
    "raw answer",
    "reason",
    "no SQL was found in the answer",
    "the same text as the reference",
    "both results empty",
    "{count} tokens",
    "result: first {shown} of {count} rows",
    "result: {count} rows",
    "result: 1 row",
    "column {number}",
    "cut at the token limit",
    "option",
    "right option",
    "chosen",
    "probability of the letters together: {mass}",
    "natural logarithm of the probability; the highest is chosen",
    "natural logarithm of the probability; the highest for its length in bytes is chosen",
    "wrong answer",
    "not asked",
    "No question fits these filters.",
    "This browser cannot unpack the answers; open the page in a newer one, or read the lines beside it.",
    "Unpacking…",
    "page {page} of {pages}",
    "letter",
    "cloze",
    "generate",
    "logged",
    "Target questions",
    "General questions",
    "compared with the baseline",
    "text in question or answer",
    "suite",
    "method",
    "Clear",
    "Previous",
    "Next",
    "Close",
    "category",
    "outcome",
    "The explorer needs JavaScript; the lines are in the files beside this page.",
    "Each answer of each variant, beside the reference. Enter opens a question, Esc closes it.",
    "Skip to the verdict",
    "variant",
    "STEM",
    "Humanities",
    "Social sciences",
    "Other",
)
FAMILIES = {"outcome": ("outcome",), "class": ("class", "outcome")}  # by family, whose names it takes, the first first


def script_words(voice: Voice) -> dict[str, str]:
    """What the program says: English sentence -> sentence with its fields open. Names of outcomes are under
    "outcome:NAME", of reasons under "class:NAME"."""
    words = {sentence: voice.template(sentence) for sentence in SAID}
    for family, sources in FAMILIES.items():
        for source in reversed(sources):
            names = (code.partition(":")[2] for code in voice.catalogue.text if code.startswith(f"{source}:"))
            words |= {f"{family}:{name}": voice.template(f"{source}:{name}") for name in names}
    return words
