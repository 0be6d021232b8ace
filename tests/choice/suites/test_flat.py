"""Rows of the suites without subjects, and of ENEM, in each layout that is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from paretune.choice.suites.load import Suite, load_suite
from paretune.errors import DataError

LABELLED = {"text": ["hot", "cold", "wet"], "label": ["1", "2", "3"]}


def _load(kind: str, folder: Path, file: str, *rows: dict[str, Any], shots: int = 0) -> Suite:
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_suite(kind, folder, shots=shots)


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Ice is?", "choices": ["hot", "cold", "wet"], "gold": 1},
        {"question": "Ice is?", "choices": LABELLED, "answerKey": "2"},
        {
            "question": {
                "stem": "Ice is?",
                "choices": [
                    {"text": text, "label": label} for text, label in zip(["hot", "cold", "wet"], "ABC", strict=True)
                ],
            },
            "answerKey": "B",
        },
    ],
)
def test_load_suite_arc_layouts_give_one_question(row: dict[str, Any], tmp_path: Path) -> None:
    (question,) = _load("arc-easy", tmp_path, "ARC-Easy/ARC-Easy-Test.jsonl", row).questions
    assert (question.question, question.options, question.answer) == ("Ice is?", ("hot", "cold", "wet"), 1)
    assert question.subject == question.category == "arc-easy"


def test_load_suite_hub_parquet_folder_is_found(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    folder = tmp_path / "ARC-Easy"
    folder.mkdir()
    table = pyarrow.Table.from_pylist([{"question": "Ice is?", "choices": LABELLED, "answerKey": "2"}])
    for split in ("test", "train"):
        pyarrow.parquet.write_table(table, folder / f"{split}-00000-of-00001.parquet")
    suite = load_suite("arc-easy", tmp_path, shots=1)
    assert suite.questions[0].answer == suite.shots["arc-easy"][0].answer == 1


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"question": "Q?", "choices": LABELLED, "answerKey": "4"}, "'4' is none of the options 1, 2, 3"),
        ({"question": "Q?", "choices": ["a", "b"], "gold": 2}, "option from 0 to 1, found 2"),
        ({"question": "Q?", "choices": ["a", "b"], "gold": -1}, "option from 0 to 1, found -1"),
        ({"question": "Q?", "choices": ["a", "b"], "gold": "x"}, "must be the number of an option"),
        ({"question": "Q?", "choices": ["a"], "gold": 0}, "at least two options"),
        ({"question": "Q?", "choices": "ab", "gold": 0}, "must be a list of texts"),
        ({"question": "", "choices": ["a", "b"], "gold": 0}, "question is empty"),
        ({"question": "Q?", "choices": ["a", " "], "gold": 0}, "option 2 is empty"),
        ({"question": 7, "choices": ["a", "b"], "gold": 0}, "must be text, found int"),
        ({"question": "Q?", "choices": ["a", "b"], "answerKey": "A"}, "must hold texts and labels"),
        ({"question": "Q?"}, "no field 'choices'"),
    ],
)
def test_load_suite_broken_row_names_file_and_line(row: dict[str, Any], expected: str, tmp_path: Path) -> None:
    good = {"question": "Ice is?", "choices": ["hot", "cold"], "gold": 1}
    with pytest.raises(DataError) as caught:
        _load("openbookqa", tmp_path, "test.jsonl", good, row)
    assert "test.jsonl, line 2: " in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize("line", ['{"question": ', "[1]", '"text"'])
def test_load_suite_line_that_is_no_object_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('\n{"question": "Q?", "choices": ["a", "b"], "gold": 0}\n' + line + "\n")
    with pytest.raises(DataError, match=r"test\.jsonl, line 3"):
        load_suite("openbookqa", tmp_path)


def test_load_suite_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no rows"):
        _load("openbookqa", tmp_path, "test.jsonl")


def test_load_suite_one_file_given_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"question": "Q?", "choices": ["a", "b"], "gold": 0}\n')
    assert len(load_suite("openbookqa", file).questions) == 1
    with pytest.raises(DataError, match=r"expected a \.jsonl, \.json or \.parquet"):
        load_suite("openbookqa", file.rename(tmp_path / "mine.txt"))


def test_load_suite_shots_are_never_the_evaluated_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="subject piqa: 1 shots asked, 0 development rows"):
        _load("piqa", tmp_path, "valid.jsonl", {"goal": "g", "sol1": "a", "sol2": "b", "label": 0}, shots=1)
    file = tmp_path / "train.jsonl"
    (tmp_path / "valid.jsonl").rename(file)
    with pytest.raises(DataError, match="0 development rows"):
        load_suite("piqa", file, shots=1)


def test_load_suite_piqa_labels_stand_beside(tmp_path: Path) -> None:
    (tmp_path / "valid-labels.lst").write_text("1\n")
    row = {"goal": "g", "sol1": "a", "sol2": "b"}
    suite = _load("piqa", tmp_path, "valid.jsonl", row)
    assert suite.questions[0].answer == 1
    assert set(suite.files) == {"valid.jsonl", "valid-labels.lst"}
    with pytest.raises(DataError, match=r"1 labels, but valid\.jsonl has 2 rows"):
        _load("piqa", tmp_path, "valid.jsonl", row, row)


def test_load_suite_hellaswag_official_row_is_tidied(tmp_path: Path) -> None:
    row = {
        "activity_label": "Knitting",
        "ctx_a": "How to knit [title] Buy wool.",
        "ctx_b": "then SHE",
        "endings": ["[step] goes.", " stops  now.", "a", "b"],
        "label": "1",
    }
    suite = _load("hellaswag", tmp_path, "hellaswag_val.jsonl", row)
    assert suite.questions[0].question == "Knitting: How to knit. Buy wool. Then she"
    assert suite.questions[0].options == (" goes.", "stops now.", "a", "b")
    assert suite.notes == ()


def test_load_suite_hellaswag_prepared_row_is_noted(tmp_path: Path) -> None:
    row = {"query": "Knitting: a woman. she", "endings": ["a", "b", "c", "d"], "label": 3}
    suite = _load("hellaswag", tmp_path, "hellaswag_val.jsonl", row)
    assert suite.questions[0].question == "Knitting: a woman. she"
    assert "capitalises" in suite.notes[0]


@pytest.mark.parametrize("sentence", ["no gap", "_ and _"])
def test_load_suite_winogrande_without_one_gap_is_refused(sentence: str, tmp_path: Path) -> None:
    row = {"sentence": sentence, "option1": "a", "option2": "b", "answer": "1"}
    with pytest.raises(DataError, match=r"dev\.jsonl, line 1: the sentence must hold one gap"):
        _load("winogrande", tmp_path, "dev.jsonl", row)


@pytest.mark.parametrize("answer", ["0", "3", ""])
def test_load_suite_winogrande_answer_outside_is_refused(answer: str, tmp_path: Path) -> None:
    row = {"sentence": "a _ b", "option1": "a", "option2": "b", "answer": answer}
    with pytest.raises(DataError, match=r"dev\.jsonl, line 1"):
        _load("winogrande", tmp_path, "dev.jsonl", row)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"query": "Passage: P.\nQuestion: is it?", "choices": ["no", "yes"], "gold": 1}, "P.\nQuestion: is it?"),
        ({"passage": "P.", "question": "is it", "label": 1}, "P.\nQuestion: is it?"),
        ({"passage": "P.", "question": "is it", "answer": True, "title": "T"}, "T -- P.\nQuestion: is it?"),
    ],
)
def test_load_suite_boolq_layouts_are_worded_alike(row: dict[str, Any], text: str, tmp_path: Path) -> None:
    (question,) = _load("boolq", tmp_path, "boolq_val.jsonl", row).questions
    assert (question.question, question.options, question.answer) == (text, ("no", "yes"), 1)


@pytest.mark.parametrize(
    "targets", [{"right": 1, "wrong": 0, "": 0}, {"choices": ["right", "wrong"], "labels": [1, 0]}]
)
def test_load_suite_truthfulqa_layouts_give_one_question(targets: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "mc_task.json").write_text(json.dumps([{"question": "Q?", "mc1_targets": targets}]))
    (question,) = load_suite("truthfulqa-mc1", tmp_path).questions
    assert (question.options, question.answer) == (("right", "wrong"), 0)


def test_load_suite_truthfulqa_two_right_names_the_item(tmp_path: Path) -> None:
    (tmp_path / "mc_task.json").write_text(json.dumps([{"question": "Q?", "mc1_targets": {"a": 1, "b": 1}}]))
    with pytest.raises(DataError, match=r"mc_task\.json, item 1: 'mc1_targets' must mark one option"):
        load_suite("truthfulqa-mc1", tmp_path)


# ENEM -----------------------------------------------------------------------------------------------------------


def _enem(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"ENEM_2010_{number}",
        "year": 2010,
        "discipline": "matematica",
        "context": " Leia. ",
        "question": "Quanto?",
        "choices": list("12345"),
        "answer": "C",
        "has_image": False,
    } | changes


def test_load_suite_enem_areas_are_categories(tmp_path: Path) -> None:
    rows = (_enem(1), _enem(2, discipline="linguagens", context=None), _enem(3))
    suite = _load("enem", tmp_path, "enem_textonly.jsonl", *rows)
    assert [question.id for question in suite.questions] == ["matematica/0", "linguagens/0", "matematica/1"]
    assert suite.questions[0].question == "Leia.\n\nQuanto?"
    assert suite.questions[1].question == "Quanto?"
    assert suite.questions[1].category == "Linguagens, Códigos e suas Tecnologias"
    assert [q.id for q in load_suite("enem", tmp_path, subjects=["matematica"]).questions] == [
        "matematica/0",
        "matematica/1",
    ]


def test_load_suite_enem_images_and_annulled_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = (_enem(1), _enem(2, has_image=True), _enem(3, answer="Anulado"), _enem(4, figures=["f.png"]))
    suite = _load("enem", tmp_path, "test.jsonl", *rows)
    assert len(suite.questions) == 1
    assert suite.notes == (
        "2 questions need an image and are left out",
        "1 questions are annulled and are left out",
    )


def test_load_suite_enem_shots_are_the_first_edition_alone(tmp_path: Path) -> None:
    rows = (_enem(1), _enem(2, year=2009, question="Antes?"), _enem(3))
    suite = _load("enem", tmp_path, "test.jsonl", *rows, shots=1)
    assert [shot.question for shot in suite.shots["matematica"]] == ["Leia.\n\nAntes?"]
    assert [question.id for question in suite.questions] == ["matematica/0", "matematica/2"]
    assert "2009" in suite.notes[0]


@pytest.mark.parametrize(
    ("number", "area"), [(45, "linguagens"), (46, "ciencias-humanas"), (135, "ciencias-natureza"), (180, "matematica")]
)
def test_load_suite_enem_area_follows_from_the_number_since_2017(number: int, area: str, tmp_path: Path) -> None:
    row = _enem(number, year=2024)
    del row["discipline"]
    assert _load("enem", tmp_path, "test.jsonl", row).questions[0].subject == area
    with pytest.raises(DataError, match="area does not follow"):
        _load("enem", tmp_path, "test.jsonl", row | {"year": 2016})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"answer": "F"}, "one of A, B, C, D, E"),
        ({"answer": ""}, "one of A, B, C, D, E"),
        ({"discipline": "quimica"}, "no area 'quimica'"),
        ({"context": "", "question": " "}, "question is empty"),
        ({"choices": None}, "options must be a list"),
        ({"year": "x"}, "expected the edition's year"),
    ],
)
def test_load_suite_enem_broken_row_names_the_line(changes: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _load("enem", tmp_path, "test.jsonl", _enem(1), _enem(2, **changes))
    assert "test.jsonl, line 2: " in str(caught.value)
    assert expected in str(caught.value)


def test_load_suite_enem_several_files_are_not_guessed_among(tmp_path: Path) -> None:
    for name in ("enem_2010.jsonl", "enem_2011.jsonl"):
        (tmp_path / name).write_text(json.dumps(_enem(1)))
    with pytest.raises(DataError, match=r"several files match.*enem_2010\.jsonl, enem_2011\.jsonl"):
        load_suite("enem", tmp_path)
