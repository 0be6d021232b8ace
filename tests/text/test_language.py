from __future__ import annotations

import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.errors import ConfigError
from paretune.records import ChoiceOutcome, SqlOutcome
from paretune.text.language import LANGUAGES, PORTUGUESE, number, parse_language, translator


def fields(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)


@pytest.mark.parametrize("sentence", sorted(PORTUGUESE))
def test_translation_keeps_the_placeholders_and_the_final_stop(sentence: str) -> None:
    translated = PORTUGUESE[sentence]
    assert fields(translated) == fields(sentence)
    assert translated == translated.strip(" \n") or sentence != sentence.strip(" \n")
    assert translated.endswith(".") == sentence.endswith(".") or sentence.endswith("}.") or translated.endswith("p.p.")


def test_translation_of_every_outcome_and_hardness_exists() -> None:
    words = [*SqlOutcome, *ChoiceOutcome, "easy", "medium", "hard", "extra", "letter", "cloze", "generate"]
    assert all(translator("pt-BR")(str(word)) for word in words)


def test_translation_writes_decimal_commas() -> None:
    assert not [text for text in PORTUGUESE.values() if re.search(r"\d\.\d", text)]


def test_translation_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        translator("pt-BR")("a sentence that nobody has translated")
    assert translator("en")("a sentence that nobody has translated") == "a sentence that nobody has translated"


def test_language_unknown_is_refused_with_the_known_ones() -> None:
    assert [parse_language(name) for name in LANGUAGES] == ["en", "pt-BR"]
    with pytest.raises(ConfigError, match=r"--lang pt: expected one of en, pt-BR"):
        parse_language("pt")


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_number_differs_between_languages_in_the_comma_only(value: float, decimals: int) -> None:
    english = number(value, "en", decimals)
    assert number(value, "pt-BR", decimals) == english.replace(".", ",")
    assert float(english) == pytest.approx(value, abs=0.51 * 10**-decimals)


def test_number_that_rounds_to_zero_has_no_sign() -> None:
    assert number(-0.04, "en") == "0.0"
    assert number(-0.04, "pt-BR") == "0,0"
    assert number(-0.06, "en") == "-0.1"
