from __future__ import annotations

import pytest

from paretune.sql.contradictions import _breaks_off

CUT = ("SELECT a FROM b WHERE", "```sql\nSELECT a FROM", "Query:\n\nSELECT a,", "SELECT T1.")


@pytest.mark.parametrize("text", CUT)
def test_breaks_off_within_a_statement(text: str) -> None:
    assert _breaks_off(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM b",
        "SELECT a FROM b;\n\nThis query will select all readers.",
        "SELECT a FROM b;\n\nOutput:\n```\nSELECT a FROM b;\n```\n\nThis query returns them.",
        "SELECT a FROM b\n\nQuestion: Who wrote it? Answer in English.",
    ],
)
def test_breaks_off_explanation_behind_a_complete_statement_does_not(text: str) -> None:
    assert not _breaks_off(text)
