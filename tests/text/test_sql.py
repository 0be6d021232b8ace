"""Every sentence about wrong SQL has its Portuguese, with the same names and values."""

from __future__ import annotations

import re

import pytest

from paretune.demo.build import demo_directory
from paretune.sql.errors import classify
from paretune.sql.schema import read_schema
from paretune.sql.spider import read_split
from paretune.sql.suite.neighbours import neighbours
from paretune.text.sql import TEMPLATES, in_portuguese

FIELDS = {"a": "one.first", "b": "two.second", "c": "'three'", "table": "Table_four", "message": "incomplete input"}
ENGLISH = re.compile(r"\b(the|instead|not|with|which|gold|query|there|you|does|cannot|too)\b")


@pytest.mark.parametrize(("english", "portuguese"), TEMPLATES)
def test_in_portuguese_every_template_is_found_by_its_own_sentence(english: str, portuguese: str) -> None:
    place = " in HAVING in the subquery of one.first in the query after UNION"
    lugar = " no HAVING na subconsulta de one.first na consulta depois de UNION"
    translated = {**FIELDS, "message": "comando incompleto"}
    for here, aqui in (("", ""), (place, lugar)):
        found = in_portuguese(english.format(**FIELDS, where=here))
        assert found == portuguese.format(**translated, where=aqui)
        assert ENGLISH.search(found) is None


@pytest.mark.parametrize(("english", "portuguese"), TEMPLATES)
def test_templates_have_the_same_fields_in_both_languages(english: str, portuguese: str) -> None:
    fields = [sorted(re.findall(r"\{(\w+)\}", text)) for text in (english, portuguese)]
    assert fields[0] == fields[1]


def test_in_portuguese_no_explanation_of_a_near_miss_stays_english() -> None:
    """What classify says of every query one edit away from the demo's, so a new sentence cannot be forgotten."""
    spider = demo_directory() / "spider"
    said: set[str] = set()
    for question in read_split(spider, "dev"):
        schema = read_schema(spider / "database" / question.db_id / f"{question.db_id}.sqlite", None)
        for neighbour in neighbours(question.gold, schema):
            said.add(classify(neighbour.sql, question.gold, schema, None).explanation)
            said.add(classify(question.gold, neighbour.sql, schema, None).explanation)
    assert len(said) > 200
    assert [sentence for sentence in said if in_portuguese(sentence) == sentence] == []


def test_in_portuguese_message_nobody_knows_stays_as_it_is() -> None:
    assert in_portuguese("database disk image is malformed") == "database disk image is malformed"
