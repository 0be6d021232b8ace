"""Every sentence about wrong SQL is read back from its English, and worded in every language."""

from __future__ import annotations

import re

import pytest

from paretune.demo.build import demo_directory
from paretune.sql.database import read_names
from paretune.sql.explain import classify
from paretune.sql.spider import read_split
from paretune.sql.suite.neighbours import neighbours
from paretune.text import Phrase, Voice
from paretune.text.sql import recognised, why_wrong

PORTUGUESE = Voice("pt-BR")
WHOLE = ("sql.message", "sql.on-subquery")
CODES = [code for code in Voice("en").catalogue.text if code.startswith("sql.") and code not in WHOLE]
PLACE = Phrase("place.having", {"where": Phrase("place.subquery", {"unit": "one.first", "where": Phrase("place.from", {
    "where": Phrase("place.query-after", {"operator": "UNION", "where": ""})})})})  # fmt: skip
ENGLISH = re.compile(r"\b(the|instead|not|with|which|gold|reference|query|there|you|does|cannot|too)\b")


def sample(code: str, where: Phrase | str) -> Phrase:
    names = re.findall(r"\{(\w+)\}", Voice("en").catalogue.text[code])
    fields: dict[str, Phrase | str] = {name: f"{name}_1.x" for name in names}
    return Phrase(code, fields | {"where": where} if "where" in names else fields)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("where", [PLACE, ""])
def test_recognised_every_english_sentence_is_the_phrase_it_was_made_from(code: str, where: Phrase | str) -> None:
    phrase = sample(code, where)
    found = recognised(str(phrase))
    if "message" in phrase.fields:
        phrase = Phrase(code, {**phrase.fields, "message": recognised(str(phrase.fields["message"]))})
    assert found == phrase
    assert ENGLISH.search(PORTUGUESE.say(phrase)) is None


def test_recognised_condition_on_a_subquery_is_reworded() -> None:
    old = "Filter by t.a in (a subquery) instead of t.a = 1 in HAVING."
    assert PORTUGUESE.say(recognised(old)) == "Filtre por t.a in (uma subconsulta) em vez de t.a = 1 no HAVING."


@pytest.mark.parametrize(
    ("old", "portuguese"),
    [
        ("the gold query fails: no such table: t", "a consulta de referência falha: no such table: t"),
        ("Drop the EXCEPT: the gold is a single query.", "Retire EXCEPT: a consulta de referência é uma só."),
        ("Join pets, which the gold reads too.", "Junte pets, que a consulta de referência também lê."),
        ("Leave out concert: the gold does not join it.", "Deixe fora concert: a consulta de referência não junta."),
        ("The gold joins pets instead of reading it in a subquery.",
         "A consulta de referência junta pets em vez de ler em uma subconsulta."),
    ],
)  # fmt: skip
def test_why_wrong_old_line_that_says_gold_is_read(old: str, portuguese: str) -> None:
    assert PORTUGUESE.say(recognised(old)) == portuguese
    assert str(recognised(old)) == old.replace("gold", "reference")


def test_no_explanation_of_a_near_miss_stays_english() -> None:
    """What classify says of every query one edit away from the demo's: by its code, in a record and back, and read
    from its English as in old lines."""
    spider = demo_directory() / "spider"
    said: set[str] = set()
    for question in read_split(spider, "dev"):
        schema = read_names(spider / "database" / question.db_id / f"{question.db_id}.sqlite", None)
        for neighbour in neighbours(question.gold, schema):
            for pair in ((neighbour.sql, question.gold), (question.gold, neighbour.sql)):
                phrase = classify(*pair, schema, None).phrase
                english, record = str(phrase), phrase.record()
                by_code = why_wrong(PORTUGUESE, english, record["code"], record["fields"])
                assert by_code == why_wrong(PORTUGUESE, english, None, None) != english
                said.add(english)
    assert len(said) > 200


def test_why_wrong_message_nobody_knows_stays_as_it_is() -> None:
    message = "database disk image is malformed"
    assert why_wrong(PORTUGUESE, message, None, None) == message


def test_why_wrong_right_answer_has_nothing_to_say() -> None:
    assert why_wrong(PORTUGUESE, None, None, None) == ""


def test_why_wrong_explanation_stands_before_sqlites_message() -> None:
    fields = {"column": "fees", "near": "teachers.fee"}
    english = why_wrong(Voice("en"), "no such column: fees", "sql.column-near", fields)
    assert english == "No table has a column fees; did you mean teachers.fee?"
