"""MMLU from local files: the official CSV layout or the Hub's parquet files.

Hendrycks et al. 2021, "Measuring Massive Multitask Language Understanding": 57 subjects in four categories. The
category of a subject is the one of the authors' categories.py ("other (business, health, misc.)" is called Other
here). Figures over all of MMLU weight every question alike (micro), as the authors' script does.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from paretune.choice.letters import LETTERS
from paretune.choice.suites.base import Form, SuiteKind, described, letters, options, worded
from paretune.choice.suites.files import Item, Row, Splits, SuiteFolder, as_question
from paretune.errors import DataError
from paretune.records import ChoiceQuestion

MMLU_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "STEM": (
        "abstract_algebra",
        "anatomy",
        "astronomy",
        "college_biology",
        "college_chemistry",
        "college_computer_science",
        "college_mathematics",
        "college_physics",
        "computer_security",
        "conceptual_physics",
        "electrical_engineering",
        "elementary_mathematics",
        "high_school_biology",
        "high_school_chemistry",
        "high_school_computer_science",
        "high_school_mathematics",
        "high_school_physics",
        "high_school_statistics",
        "machine_learning",
    ),
    "Humanities": (
        "formal_logic",
        "high_school_european_history",
        "high_school_us_history",
        "high_school_world_history",
        "international_law",
        "jurisprudence",
        "logical_fallacies",
        "moral_disputes",
        "moral_scenarios",
        "philosophy",
        "prehistory",
        "professional_law",
        "world_religions",
    ),
    "Social sciences": (
        "econometrics",
        "high_school_geography",
        "high_school_government_and_politics",
        "high_school_macroeconomics",
        "high_school_microeconomics",
        "high_school_psychology",
        "human_sexuality",
        "professional_psychology",
        "public_relations",
        "security_studies",
        "sociology",
        "us_foreign_policy",
    ),
    "Other": (
        "business_ethics",
        "clinical_knowledge",
        "college_medicine",
        "global_facts",
        "human_aging",
        "management",
        "marketing",
        "medical_genetics",
        "miscellaneous",
        "nutrition",
        "professional_accounting",
        "professional_medicine",
        "virology",
    ),
}
MMLU_CATEGORIES: Mapping[str, str] = {
    subject: category for category, subjects in MMLU_SUBJECTS.items() for subject in subjects
}


def read_mmlu(folder: SuiteFolder, subjects: Sequence[str]) -> Splits:
    """The test questions and development rows of an MMLU folder, subjects in alphabetical order.

    folder: test/<subject>_test.csv and dev/<subject>_dev.csv (question, A, B, C, D, letter; no header), or the
    Hub's all/test-*.parquet and all/dev-*.parquet, or its folders by subject. A categories.json ({subject:
    category}) in the folder replaces the official categories. subjects: only these; all that are there when empty.
    Raises DataError for a missing file, an unknown subject (naming the nearest) and every broken row.
    """
    if not folder.path.is_dir():
        raise DataError(f"{folder.path}: expected the folder that holds test/ and dev/")
    categories = _categories(folder)
    for root in (folder.root, folder.root / "data"):
        if (root / "test").is_dir():
            return _read_csv(folder, root, subjects, categories)
    if any(folder.root.glob("*/test-*.parquet")):
        return _read_parquet(folder, subjects, categories)
    raise DataError(f"{folder.root}: expected test/<subject>_test.csv or all/test-*.parquet")


def read_validation(folder: SuiteFolder, subjects: Sequence[str]) -> list[ChoiceQuestion]:
    """The questions of val/<subject>_val.csv, or of the Hub's validation-*.parquet, of these subjects (all when empty),
    ids "<subject>/val-<row>"; none where there are no such files."""
    categories = _categories(folder)
    items: dict[str, list[Item]] = {}
    for root in (folder.root, folder.root / "data"):
        for file in sorted((root / "val").glob("*_val.csv")):
            items.setdefault(file.name.removesuffix("_val.csv"), []).extend(_csv_items(folder, file))
    together = folder.root / "all"
    for file in sorted((together if together.is_dir() else folder.root).glob("**/validation-*.parquet")):
        for row in folder.rows(file):
            items.setdefault(str(row.fields.get("subject") or file.parent.name), []).append(_parquet_item(row))
    return [
        as_question(item, subject=subject, category=_category(subject, categories, item.where), row=f"val-{number}")
        for subject in sorted(items)
        if not subjects or subject in subjects
        for number, item in enumerate(items[subject])
    ]


def choose_subjects(asked: Sequence[str], known: Iterable[str], where: str) -> list[str]:
    """The asked subjects in the order in which they are known, or all; DataError naming the nearest known one."""
    order = list(known)
    for subject in asked:
        if subject not in order:
            raise DataError(f"{where}: no subject {subject!r}{_nearest(subject, order)}")
    return [subject for subject in order if not asked or subject in asked]


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; the nearest is {near[0]!r}" if near else ""


def _categories(folder: SuiteFolder) -> Mapping[str, str]:
    file = folder.root / "categories.json"
    if not file.is_file():
        return MMLU_CATEGORIES
    try:
        categories = json.loads(folder.read_text(file))
    except json.JSONDecodeError as error:
        raise DataError(f"{file}, line {error.lineno}: not JSON ({error.msg})") from error
    if not isinstance(categories, dict) or not all(isinstance(value, str) for value in categories.values()):
        raise DataError(f"{file}: expected an object of subject: category")
    return categories


def _category(subject: str, categories: Mapping[str, str], where: str) -> str:
    if subject not in categories:
        raise DataError(
            f"{where}: {subject!r} is no known subject{_nearest(subject, categories)}; "
            "a subject of your own belongs in a categories.json beside test/"
        )
    return categories[subject]


def _read_csv(folder: SuiteFolder, root: Path, asked: Sequence[str], categories: Mapping[str, str]) -> Splits:
    files = {file.name.removesuffix("_test.csv"): file for file in sorted((root / "test").glob("*_test.csv"))}
    splits = Splits([], {}, [])
    for subject in choose_subjects(asked, files, str(root / "test")):
        category = _category(subject, categories, str(files[subject]))
        for number, item in enumerate(_csv_items(folder, files[subject])):
            splits.questions.append(as_question(item, subject=subject, category=category, row=str(number)))
        dev = root / "dev" / f"{subject}_dev.csv"
        if dev.is_file():
            splits.shots[subject] = [
                as_question(item, subject=subject, category=category, row=f"dev-{number}")
                for number, item in enumerate(_csv_items(folder, dev))
            ]
    return splits


def _csv_items(folder: SuiteFolder, file: Path) -> Iterable[Item]:
    for where, cells in folder.csv_rows(file):
        if len(cells) != 6:
            raise DataError(f"{where}: expected 6 columns (question, A, B, C, D, letter), found {len(cells)}")
        letter = cells[5].strip()
        if len(letter) != 1 or letter not in LETTERS[:4]:
            raise DataError(f"{where}: the answer must be one of A, B, C, D, found {cells[5]!r}")
        yield Item(where, cells[0], cells[1:5], LETTERS.index(letter))


def _read_parquet(folder: SuiteFolder, asked: Sequence[str], categories: Mapping[str, str]) -> Splits:
    together = folder.root / "all"
    if together.is_dir():
        folders = {"all": together}
    else:
        folders = {path.parent.name: path.parent for path in sorted(folder.root.glob("*/test-*.parquet"))}
        folders = {name: folders[name] for name in choose_subjects(asked, folders, str(folder.root))}
    test: dict[str, list[Item]] = {}
    dev: dict[str, list[Item]] = {}
    for name, part in folders.items():
        for split, collected in (("test", test), ("dev", dev)):
            for file in sorted(part.glob(f"{split}-*.parquet")):
                for row in folder.rows(file):
                    subject = row.fields.get("subject") or name
                    collected.setdefault(str(subject), []).append(_parquet_item(row))
    splits = Splits([], {}, [])
    for subject in choose_subjects(asked, sorted(test), str(folder.root)):
        category = _category(subject, categories, test[subject][0].where)
        for number, item in enumerate(test[subject]):
            splits.questions.append(as_question(item, subject=subject, category=category, row=str(number)))
        splits.shots[subject] = [
            as_question(item, subject=subject, category=category, row=f"dev-{number}")
            for number, item in enumerate(dev.get(subject, []))
        ]
    return splits


def _parquet_item(row: Row) -> Item:
    options, answer = row.get("choices"), row.get("answer")
    if not isinstance(options, list) or len(options) != 4:
        raise DataError(f"{row.where}: expected 4 options in 'choices'")
    if isinstance(answer, bool) or not isinstance(answer, int):
        raise DataError(f"{row.where}: 'answer' must be a number from 0 to 3, found {answer!r}")
    return Item(row.where, row.text("question"), options, answer)


LETTER = Form(
    worded("{stripped}\n{lettered}\nAnswer:"),
    letters,
    described("The following are multiple choice questions (with answers) about {topic}.\n\n"),
)
# Without the options in view "multiple choice" would mislead, so it is left out of the description.
CLOZE = Form(
    worded("Question: {stripped}\nAnswer:"),
    options,
    described("The following are questions (with answers) about {topic}.\n\n"),
)
SUITE = SuiteKind(
    "mmlu",
    lambda folder, subjects, shots: read_mmlu(folder, subjects),
    LETTER,
    CLOZE,
    has_subjects=True,
    validation=read_validation,
)
