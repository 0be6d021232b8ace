from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.errors import ConfigError
from paretune.text import LANGUAGES, Field, Phrase, Voice, voice_named

ENGLISH, PORTUGUESE = Voice("en"), Voice("pt-BR")


@dataclass(frozen=True)
class Figure:
    estimate: float
    low: float
    high: float


def test_say_word_or_code_that_no_catalogue_has_is_an_error() -> None:
    for voice, text in ((PORTUGUESE, "a word that nobody has translated"), (ENGLISH, "verdict.of-nobody")):
        with pytest.raises(KeyError):
            voice.say(text)
    assert ENGLISH.say("a word that nobody has translated") == "a word that nobody has translated"


def test_say_field_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="suite"):
        ENGLISH.say("plot.subjects")


def test_say_data_are_never_reworded() -> None:
    """A name that reads like a count, a code or a template stays as it is."""
    for name in ("Qwen 1 questions-bench", "1 questions", "verdict.gain", "{variant}", "0.5"):
        assert ENGLISH.say("plot.subjects", suite=name) == f"Change by subject, {name}"
        assert PORTUGUESE.say("plot.subjects", suite=name) == f"Variação por disciplina, {name}"


@pytest.mark.parametrize(
    ("count", "english", "portuguese"),
    [
        (1, "1 question in 1 database", "1 questão em 1 banco de dados"),
        (2, "2 questions in 2 databases", "2 questões em 2 bancos de dados"),
        (21, "21 questions in 21 databases", "21 questões em 21 bancos de dados"),
    ],
)
def test_say_noun_after_exactly_1_is_singular(count: int, english: str, portuguese: str) -> None:
    fields: dict[str, Field] = {"benchmark": "b", "questions": count, "databases": count}
    assert ENGLISH.say(Phrase("table.execution", fields)).endswith(f"b, {english}")
    assert PORTUGUESE.say(Phrase("table.execution", fields)).endswith(f"b, {portuguese}")


def test_say_number_with_decimals_is_not_one() -> None:
    assert ENGLISH.say("facts.margin", margin=1.0) == "margin 1.0 points"
    assert ENGLISH.say("facts.margin", margin=1) == "margin 1 point"


def test_say_fields_are_written_by_their_kind() -> None:
    gain = Figure(-2, -6.04, 2)
    fields: dict[str, Field] = {"variant": "run-1", "gain": gain, "suite": "mmlu", "change": gain}
    assert ENGLISH.say("first.point", **fields).startswith("run-1: gain -2.0 [-6.0, +2.0]; mmlu -2.0")
    assert PORTUGUESE.say("first.point", **fields).startswith("run-1: ganho -2,0 [-6,0; +2,0]; mmlu -2,0")
    differing: dict[str, Field] = {"variant": "run-1", "family": 0.0312, "method": "Bonferroni", "holm": 0.0002}
    assert PORTUGUESE.say("claims.holm-differs", **differing).startswith("run-1: p é 0,031 por Bonferroni")
    assert PORTUGUESE.say("claims.holm-differs", **differing).endswith("< 0,001 por Holm.")
    where = (Phrase("after the question"), Phrase("before the schema"))
    assert "(depois da pergunta, antes do esquema)" in PORTUGUESE.say("audit.prompts-differ", where=where)


def test_phrase_without_fields_or_with_equal_ones_is_equal_and_hashable() -> None:
    assert len({Phrase("sql.alike"), Phrase("sql.alike", {}), Phrase("sql.message", {"message": "a"})}) == 2


def test_voice_named_unknown_language_is_refused_with_the_known_ones() -> None:
    assert [voice_named(name).language for name in LANGUAGES] == ["en", "pt-BR"]
    with pytest.raises(ConfigError, match=r"--lang pt-PT: expected one of en, pt-BR"):
        voice_named("pt-PT")


@pytest.mark.parametrize("spelling", ["pt", "pt_BR", "pt-br", "PT-BR"])
def test_voice_named_as_people_spell_it_is_that_language(spelling: str) -> None:
    assert voice_named(spelling) == PORTUGUESE


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_number_differs_between_languages_in_the_comma_only(value: float, decimals: int) -> None:
    english = ENGLISH.number(value, decimals)
    assert PORTUGUESE.number(value, decimals) == english.replace(".", ",")
    assert float(english) == pytest.approx(value, abs=0.51 * 10**-decimals)


def test_number_that_rounds_to_zero_has_no_sign() -> None:
    assert [ENGLISH.number(value) for value in (-0.04, -0.06)] == ["0.0", "-0.1"]
    assert PORTUGUESE.number(-0.04) == "0,0"


def test_interval_missing_figure_is_empty() -> None:
    assert ENGLISH.interval(None) == ""


def test_interval_end_that_rounds_to_zero_has_no_sign() -> None:
    assert ENGLISH.interval(Figure(1, -0.04, 2), signed=True) == "+1.0 [0.0, +2.0]"


def test_interval_decimal_comma_is_told_from_the_separator() -> None:
    assert PORTUGUESE.interval(Figure(1.25, 0.5, 2), decimals=2) == "1,25 [0,50; 2,00]"
    assert re.fullmatch(r"1\.25 \[0\.50, 2\.00\]", ENGLISH.interval(Figure(1.25, 0.5, 2), decimals=2))


def test_p_value_never_prints_zero() -> None:
    assert PORTUGUESE.p_value(1e-12) == "< 0,001"
    assert ENGLISH.p_value(1.0) == "1.000"
