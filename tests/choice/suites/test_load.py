"""Suites as they are read, refused and drawn from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.choice.suites.load import (
    COURSE_SUBJECTS,
    SUITE_KINDS,
    Selection,
    Suite,
    course_draw,
    load_suite,
    select_questions,
)
from paretune.errors import DataError
from paretune.records import ChoiceQuestion

ROW = "What is 1 + 1?,0,1,2,3,C\n"


def _mmlu(root: Path, subject: str = "philosophy", test: str | bytes = ROW, dev: str | None = ROW) -> Path:
    for split, text in (("test", test), ("dev", dev)):
        if text is not None:
            file = root / split / f"{subject}_{split}.csv"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def test_load_suite_mmlu_csv_gives_questions_and_hashes(tmp_path: Path) -> None:
    text = '"Which, if any?",a,"b, c",d,e,B\n"Two\nlines",1,2,3,4,D\n'
    suite = load_suite("mmlu", _mmlu(tmp_path, test=text, dev="Q?,1,2,3,4,A\n"), shots=1)
    assert suite.questions == (
        ChoiceQuestion("philosophy/0", "philosophy", "Humanities", "Which, if any?", ("a", "b, c", "d", "e"), 1),
        ChoiceQuestion("philosophy/1", "philosophy", "Humanities", "Two\nlines", ("1", "2", "3", "4"), 3),
    )
    assert [shot.id for shot in suite.shots["philosophy"]] == ["philosophy/dev-0"]
    assert suite.chance == 0.25
    assert suite.notes == ()
    assert suite.files["test/philosophy_test.csv"] == hashlib.sha256(text.encode()).hexdigest()
    assert set(suite.files) == {"test/philosophy_test.csv", "dev/philosophy_dev.csv"}


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (ROW + "Q?,1,2,3,C\n", 2, "expected 6 columns"),
        ('"Two\nlines",1,2,3,4,A\nQ?,1,2,3,4,E\n', 3, "one of A, B, C, D, found 'E'"),
        (ROW + "Q?,1,2,3,4,\n", 2, "one of A, B, C, D"),
        (ROW + "Q?,1,2,3,4,AB\n", 2, "one of A, B, C, D"),
        (ROW + "  ,1,2,3,4,A\n", 2, "question is empty"),
        (ROW + "Q?,1,,3,4,A\n", 2, "option 2 is empty"),
        (ROW + 'Q?,"1,2,3,4,A\n', 2, "not CSV"),
        (ROW.encode() + b"\n" + b"Caf\xe9?,1,2,3,4,A\n", 3, "not UTF-8"),
    ],
)
def test_load_suite_mmlu_broken_row_names_file_and_line(
    text: str | bytes, line: int, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        load_suite("mmlu", _mmlu(tmp_path, test=text))
    assert f"philosophy_test.csv, line {line}: " in str(caught.value)
    assert expected in str(caught.value)


def test_load_suite_mmlu_broken_dev_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"philosophy_dev\.csv, line 1"):
        load_suite("mmlu", _mmlu(tmp_path, dev="Q?,1,2,3,4,5\n"))


def test_load_suite_too_few_shots_names_the_subject(tmp_path: Path) -> None:
    _mmlu(tmp_path, dev=ROW * 5)
    _mmlu(tmp_path, "virology", dev=ROW * 4)
    with pytest.raises(DataError, match="subject virology: 5 shots asked, 4 development rows"):
        load_suite("mmlu", tmp_path, shots=5)
    assert len(load_suite("mmlu", tmp_path, shots=4).questions) == 2


def test_load_suite_unknown_subject_names_the_nearest(tmp_path: Path) -> None:
    _mmlu(_mmlu(tmp_path), "virology")
    with pytest.raises(DataError, match="'filosophy'; the nearest is 'philosophy'"):
        load_suite("mmlu", tmp_path, subjects=["virology", "filosophy"])
    assert [q.subject for q in load_suite("mmlu", tmp_path, subjects=["virology"]).questions] == ["virology"]


def test_load_suite_file_of_no_subject_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'filosophy' is no known subject; the nearest is 'philosophy'"):
        load_suite("mmlu", _mmlu(tmp_path, "filosophy"))


def test_load_suite_own_categories_replace_the_official(tmp_path: Path) -> None:
    (tmp_path / "categories.json").write_text('{"cooking": "Home"}')
    (question,) = load_suite("mmlu", _mmlu(tmp_path, "cooking")).questions
    assert question.category == "Home"


def test_load_suite_unknown_kind_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no suite 'mmul'.*mmlu"):
        load_suite("mmul", tmp_path)


@pytest.mark.parametrize("kind", sorted(set(SUITE_KINDS) - {"demo", "demo-pt"}))
def test_load_suite_missing_or_empty_folder_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        load_suite(kind, tmp_path / "absent")
    with pytest.raises(DataError, match="expected"):
        load_suite(kind, tmp_path)
    with pytest.raises(DataError, match="give the folder"):
        load_suite(kind, None)


def test_load_suite_subjects_of_a_suite_without_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="piqa has no subjects"):
        load_suite("piqa", tmp_path, subjects=["physics"])


def test_load_suite_repeated_and_leaked_rows_are_noted_not_removed(tmp_path: Path) -> None:
    suite = load_suite("mmlu", _mmlu(tmp_path, test="Q?,1,2,3,4,A\n" * 3 + ROW, dev=ROW))
    assert len(suite.questions) == 4
    assert suite.notes == (
        "2 of 4 test rows repeat an earlier one (same question, options and answer)",
        "1 of 4 test rows also stand among the development rows",
    )


@pytest.mark.parametrize("layout", ["all", "subjects"])
def test_load_suite_mmlu_parquet_equals_csv(layout: str, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = {
        "philosophy": [("Which, if any?", ["a", "b, c", "d", "e"], 1)],
        "virology": [("One?", ["1", "2", "3", "4"], 3), ("Two?", ["1", "2", "3", "4"], 0)],
    }
    csv_folder, parquet_folder = tmp_path / "csv", tmp_path / "hub"
    csv_folder.mkdir()
    for subject, items in rows.items():
        text = "".join(
            ",".join(f'"{cell}"' for cell in (q, *options)) + f",{'ABCD'[answer]}\n" for q, options, answer in items
        )
        _mmlu(csv_folder, subject, test=text, dev=text)
    records = [
        {"question": q, "subject": subject, "choices": options, "answer": answer}
        for subject, items in sorted(rows.items(), reverse=True)  # order in the file must not matter
        for q, options, answer in items
    ]
    names = {"all": records} if layout == "all" else {s: [r for r in records if r["subject"] == s] for s in rows}
    for name, items_of_name in names.items():
        (parquet_folder / name).mkdir(parents=True)
        for split in ("test", "dev"):
            table = pyarrow.Table.from_pylist(items_of_name)
            pyarrow.parquet.write_table(table, parquet_folder / name / f"{split}-00000-of-00001.parquet")
    hub, official = load_suite("mmlu", parquet_folder, shots=1), load_suite("mmlu", csv_folder, shots=1)
    assert hub.questions == official.questions
    assert hub.shots == official.shots


def test_load_suite_parquet_wrong_answer_names_the_row(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    folder = tmp_path / "all"
    folder.mkdir()
    rows = [{"question": "Q?", "subject": "virology", "choices": list("abcd"), "answer": answer} for answer in (1, 4)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "test-00000-of-00001.parquet")
    with pytest.raises(DataError, match=r"parquet, row 2: the answer must be an option from 0 to 3, found 4"):
        load_suite("mmlu", tmp_path)


def test_load_suite_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "test-00000-of-00001.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(DataError, match="not a parquet file"):
        load_suite("mmlu", tmp_path)


def test_load_suite_demo_needs_no_path() -> None:
    english, portuguese = load_suite("demo", None, shots=5), load_suite("demo-pt", None, shots=1)
    assert {question.category for question in english.questions} == {"STEM", "Humanities", "Social sciences"}
    assert len(english.questions) >= 150
    assert len(portuguese.questions) >= 60


# Drawing --------------------------------------------------------------------------------------------------------


def _suite(**counts: int) -> Suite:
    questions = [
        ChoiceQuestion(f"{subject}/{n}", subject, "c", f"{subject} {n}?", ("a", "b"), 0)
        for subject, count in counts.items()
        for n in range(count)
    ]
    return Suite("mmlu", tuple(questions), {}, 0.5, {})


@given(
    sizes=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    limit=st.integers(1, 35),
    seed=st.integers(0, 9),
    selection=st.sampled_from(["first", "stratified"]),
)
def test_select_questions_larger_limit_holds_the_smaller(
    sizes: tuple[int, int], limit: int, seed: int, selection: Selection
) -> None:
    suite = _suite(a=sizes[0], b=sizes[1])
    small = select_questions(suite, limit_per_subject=limit, selection=selection, seed=seed)
    large = select_questions(suite, limit_per_subject=limit + 1, selection=selection, seed=seed)
    assert set(small) <= set(large)
    assert list(small) == [question for question in suite.questions if question in small]
    for subject, size in zip("ab", sizes, strict=True):
        assert sum(question.subject == subject for question in small) == min(limit, size)


def test_select_questions_first_takes_the_first_rows() -> None:
    chosen = select_questions(_suite(a=3, b=2), limit_per_subject=2, selection="first", seed=0)
    assert [question.id for question in chosen] == ["a/0", "a/1", "b/0", "b/1"]


def test_select_questions_stratified_depends_on_the_seed_and_is_fair() -> None:
    suite = _suite(a=20)
    counts = dict.fromkeys((question.id for question in suite.questions), 0)
    for seed in range(500):
        for question in select_questions(suite, limit_per_subject=5, selection="stratified", seed=seed):
            counts[question.id] += 1
    assert 80 < min(counts.values()) <= max(counts.values()) < 170  # 125 expected, standard deviation 9.7


def test_select_questions_without_limit_takes_all() -> None:
    suite = _suite(a=3)
    assert select_questions(suite, limit_per_subject=None, selection="stratified", seed=1) == suite.questions


def test_select_questions_limit_zero_is_refused() -> None:
    with pytest.raises(DataError, match="expected 1 or more"):
        select_questions(_suite(a=3), limit_per_subject=0, selection="first", seed=1)


def test_course_draw_equals_pandas_sample() -> None:
    pandas = pytest.importorskip("pandas")
    for rows in (50, 100, 311, 390):
        frame = pandas.DataFrame({"row": range(rows)})
        assert course_draw(rows) == frame.sample(n=50, random_state=42)["row"].tolist()


def test_select_questions_course_takes_fifty_of_three_subjects() -> None:
    suite = _suite(other=60, **dict.fromkeys(COURSE_SUBJECTS, 100))
    chosen = select_questions(suite, limit_per_subject=None, selection="course", seed=7)
    assert len(set(chosen)) == 150
    assert [question.subject for question in chosen] == [s for s in COURSE_SUBJECTS for _ in range(50)]
    assert chosen[0].id == "high_school_computer_science/83"
    with pytest.raises(DataError, match="philosophy"):
        select_questions(_suite(high_school_computer_science=60), limit_per_subject=None, selection="course", seed=7)


# The real files -------------------------------------------------------------------------------------------------


def test_load_suite_real_mmlu_has_the_published_size(mmlu_directory: Path) -> None:
    suite = load_suite("mmlu", mmlu_directory, shots=5)
    by_category: dict[str, set[str]] = {}
    for question in suite.questions:
        by_category.setdefault(question.category, set()).add(question.subject)
    assert len(suite.questions) == 14042
    assert sum(len(rows) for rows in suite.shots.values()) == 285
    assert {category: len(subjects) for category, subjects in by_category.items()} == {
        "STEM": 19,
        "Humanities": 13,
        "Social sciences": 12,
        "Other": 13,
    }
    assert len(suite.notes) == 2
    assert suite.notes[1].startswith("5 of 14042")
    assert load_suite("mmlu", mmlu_directory.parent).questions == suite.questions


@pytest.mark.parametrize(
    ("kind", "folder", "n_questions"),
    [
        ("arc-easy", "arc", 2376),
        ("arc-challenge", "arc", 1172),
        ("arc-challenge", "arc/official_layout_4choice", 1150),
        ("hellaswag", "hellaswag", 10042),
        ("piqa", "piqa", 1838),
        ("winogrande", "winogrande", 1267),
        ("openbookqa", "openbookqa", 500),
        ("truthfulqa-mc1", "truthfulqa", 790),
        ("truthfulqa-mc1", "truthfulqa/v1", 817),
        ("commonsense-qa", "commonsense_qa", 1221),
        ("boolq", "boolq", 3270),
        ("enem", "pt", 1706),
        ("enem", "pt/enem_2024.jsonl", 123),
    ],
)
def test_load_suite_real_files_are_read_whole(kind: str, folder: str, n_questions: int, shared_data: Path) -> None:
    suite = load_suite(kind, shared_data / folder)
    assert len(suite.questions) == n_questions
    assert len({question.id for question in suite.questions}) == n_questions
    assert 0.15 < suite.chance <= 0.5


def test_load_suite_two_arc_layouts_agree(shared_data: Path) -> None:
    ours = load_suite("arc-challenge", shared_data / "arc").questions
    official = load_suite("arc-challenge", shared_data / "arc" / "official_layout_4choice").questions
    answers = {(question.question, question.options): question.answer for question in ours}
    known = [question for question in official if (question.question, question.options) in answers]
    assert len(known) > 1000
    assert all(answers[question.question, question.options] == question.answer for question in known)


def test_load_suite_missing_field_names_those_found(tmp_path: Path) -> None:
    file = tmp_path / "valid.jsonl"
    file.write_text(json.dumps({"aim": "x", "sol1": "a", "sol2": "b", "label": 0}) + "\n")
    with pytest.raises(DataError, match=r"valid\.jsonl, line 1: no field 'goal'; found 'aim', 'sol1', 'sol2', 'label'"):
        load_suite("piqa", tmp_path)
