"""ENEM, the Brazilian national secondary-school examination, as one JSON line a question.

Subjects are the four areas of the examination; their official names are the categories. Questions that need an
image are left out, and so are annulled ones. ENEM has no development split: where shots are asked, the earliest
edition in the file becomes the development rows and is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from paretune.choice.letters import LETTERS
from paretune.choice.suites.base import Form, SuiteKind, letters, options, worded
from paretune.choice.suites.files import Item, Row, Splits, SuiteFolder, as_question
from paretune.choice.suites.mmlu import choose_subjects
from paretune.errors import DataError

AREAS: Mapping[str, str] = {
    "linguagens": "Linguagens, Códigos e suas Tecnologias",
    "ciencias-humanas": "Ciências Humanas e suas Tecnologias",
    "ciencias-natureza": "Ciências da Natureza e suas Tecnologias",
    "matematica": "Matemática e suas Tecnologias",
}
_FILES = ("test.jsonl", "enem*textonly.jsonl", "enem*.jsonl")
_FIRST_ORDERED_YEAR = 2017  # since then questions 1-45, 46-90, 91-135, 136-180 are the areas in the order of AREAS
_QUESTIONS_AN_AREA = 45


def read_enem(folder: SuiteFolder, subjects: Sequence[str], *, shots: int = 0) -> Splits:
    """The text-only questions of an ENEM file by area, in file order.

    Raises DataError for a broken row, an unknown area (naming the nearest) and a row whose area cannot be known.
    """
    wanted = choose_subjects(subjects, AREAS, "enem")
    rows = folder.rows(folder.require(_FILES))
    splits, left_out = Splits([], {}, []), {"need an image": 0, "are annulled": 0}
    first_year = min(_year(row) for row in rows)
    counters = dict.fromkeys(AREAS, 0)
    for row in rows:
        if _needs_image(row):
            left_out["need an image"] += 1
            continue
        if str(_answer(row)).strip().lower() == "anulado":
            left_out["are annulled"] += 1
            continue
        area, item = _area(row), _item(row)
        number = counters[area]
        counters[area] += 1
        if area not in wanted:
            continue
        if shots and _year(row) == first_year:
            question = as_question(item, subject=area, category=AREAS[area], row=f"dev-{number}")
            splits.shots.setdefault(area, []).append(question)
        else:
            splits.questions.append(as_question(item, subject=area, category=AREAS[area], row=str(number)))
    splits.notes.extend(f"{count} questions {why} and are left out" for why, count in left_out.items() if count)
    if shots:
        splits.notes.append(f"the {first_year} edition gives the shots and is not asked")
    return splits


def _item(row: Row) -> Item:
    parts = [str(row.fields.get("context") or "").strip(), str(row.fields.get("question") or "").strip()]
    options = row.get("choices" if "choices" in row.fields else "alternatives")
    answer = str(_answer(row)).strip().upper()
    if not isinstance(options, list):
        raise DataError(f"{row.where}: the options must be a list")
    letters = LETTERS[: len(options)]
    if len(answer) != 1 or answer not in letters:
        raise DataError(f"{row.where}: the answer must be one of {', '.join(letters)}, found {answer!r}")
    return Item(row.where, "\n\n".join(part for part in parts if part), options, letters.index(answer))


def _answer(row: Row) -> object:
    return row.get("answer" if "answer" in row.fields else "label")


def _needs_image(row: Row) -> bool:
    return bool(row.fields.get("has_image") or row.fields.get("figures"))


def _year(row: Row) -> int:
    value = row.fields.get("year", row.fields.get("exam"))
    try:
        return int(str(value))
    except ValueError as error:
        raise DataError(f"{row.where}: expected the edition's year in 'year' or 'exam', found {value!r}") from error


def _area(row: Row) -> str:
    """The area by its name, or by the question's number in editions with a fixed order."""
    if "discipline" in row.fields:
        area = row.text("discipline")
        if area not in AREAS:
            raise DataError(f"{row.where}: no area {area!r}; expected one of {', '.join(AREAS)}")
        return area
    number = re.search(r"(\d+)$", str(row.fields.get("id", "")))
    if number is None or _year(row) < _FIRST_ORDERED_YEAR or not 1 <= int(number[1]) <= _QUESTIONS_AN_AREA * 4:
        raise DataError(f"{row.where}: no 'discipline', and the area does not follow from the question's number")
    return list(AREAS)[(int(number[1]) - 1) // _QUESTIONS_AN_AREA]


_TOPICS: Mapping[str, str] = {
    "linguagens": "linguagens",
    "ciencias-humanas": "ciências humanas",
    "ciencias-natureza": "ciências da natureza",
    "matematica": "matemática",
}


def _description(subject: str) -> str:
    return f"As questões a seguir, com respostas, são do ENEM, da área de {_TOPICS[subject]}.\n\n"


SUITE = SuiteKind(
    "enem",
    lambda folder, subjects, shots: read_enem(folder, subjects, shots=shots),
    Form(worded("{stripped}\n{lettered}\nResposta:"), letters, _description),
    Form(worded("Pergunta: {stripped}\nResposta:"), options, _description),
    has_subjects=True,
)
