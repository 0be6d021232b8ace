"""Artefacts planted in a copy of a clean run: each is caught, at the level that it deserves."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.files import fingerprint
from paretune.findings import Finding
from paretune.models.adapters import adapter_fingerprint
from paretune.report.tables import write_tables
from paretune.run.jsonl import Record, read_header, read_lines, write_lines
from paretune.run.load import load_run
from paretune.text import Voice
from tests.simulated_run import change_header, change_lines, change_manifest, variants, write_run

Plant = Callable[[Path], None]
VARIANTS = ("baseline", "run-1", "run-2", "run-1@0.5")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean run with its tables. Not to be changed: copy it."""
    folder = write_run(tmp_path_factory.mktemp("clean") / "run", variants(4), size="demo", seed=3)
    write_tables(compare_run(load_run(folder), replicates=50), folder / "tables", Voice("en"))
    return folder


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "run"))


def findings(folder: Path) -> list[Finding]:
    return audit_run(load_run(folder))


# ---- how defects are planted


def rewrite(file: str, change: Callable[[Record], Record | None]) -> Plant:
    return lambda folder: change_lines(folder / file, change)


def some(file: str, share: float, **parts: Any) -> Plant:
    """Fields of the first `share` of a file's lines."""

    def plant(folder: Path) -> None:
        header, lines = read_lines(folder / file)
        last = round(share * len(lines))
        write_lines(folder / file, header, [{**line, **parts} if at < last else line for at, line in enumerate(lines)])

    return plant


def header(file: str, **parts: Any) -> Plant:
    return lambda folder: change_header(folder / file, **parts)


def sealed(file: str, **parts: Any) -> Plant:
    """Parts of a header, with the fingerprint that then belongs to it; sql.jsonl follows its answers."""

    def plant(folder: Path) -> None:
        path = folder / file
        decided = {key: value for key, value in read_header(path).items() if key not in ("kind", "fingerprint")} | parts
        answers = decided.pop("answers", None) if path.name == "sql.jsonl" else None
        mark = fingerprint(decided if answers is None else [answers, decided])
        change_header(path, **parts, fingerprint=mark)
        if path.name == "answers.jsonl":
            sealed(f"{path.parent.name}/sql.jsonl", answers=mark)(folder)

    return plant


def everywhere(file: str, plant: Callable[[str], Plant], names: Sequence[str] = VARIANTS) -> Plant:
    return both(*(plant(f"{name}/{file}") for name in names))


def both(*plants: Plant) -> Plant:
    def plant(folder: Path) -> None:
        for one in plants:
            one(folder)

    return plant


def manifest(**parts: Any) -> Plant:
    return lambda folder: change_manifest(folder, **parts)


def entry(variant: str, **parts: Any) -> Plant:
    def plant(folder: Path) -> None:
        entries = load_run(folder).manifest["variants"]
        change_manifest(folder, variants={**entries, variant: {**entries[variant], **parts}})

    return plant


def config(section: str, **parts: Any) -> Plant:
    def plant(folder: Path) -> None:
        known = load_run(folder).config
        change_manifest(folder, config={**known, section: {**known[section], **parts}})

    return plant


def copied(file: str, source: str, target: str, **parts: Any) -> Plant:
    """A file of one variant in place of another's."""

    def plant(folder: Path) -> None:
        head = read_header(folder / target / file)
        lines = [{**line, **parts} for line in read_lines(folder / source / file)[1]]
        write_lines(folder / target / file, head, lines)

    return plant


def same_everywhere(change: Callable[[Record], Record | None]) -> Plant:
    """The same change of a question in prepared/ and in the verdicts of all variants."""

    def plant(folder: Path) -> None:
        for path in [folder / "prepared" / "sql.jsonl", *folder.glob("*/sql.jsonl")]:
            change_lines(path, change)

    return plant


def prompts(change: Callable[[Record], str], rows: int = 1000) -> Plant:
    return rewrite("prepared/sql.jsonl", lambda row: {**row, "prompt": change(row)} if row["index"] < rows else row)


def taught(change: Callable[[Record], Record], rows: int = 20) -> Plant:
    """Test questions among the training rows, changed."""

    def plant(folder: Path) -> None:
        path = folder / "prepared" / "train.jsonl"
        head, train = read_lines(path)
        asked = read_lines(folder / "prepared" / "sql.jsonl")[1][:rows]
        more = [
            change({**train[0], **{key: row[key] for key in ("db_id", "question", "gold", "prompt")}}) for row in asked
        ]
        write_lines(path, head, [*train, *more])

    return plant


def renamed(row: Record) -> Record:
    return {**row, "db_id": f"my_{row['db_id']}"}


def of_another_database(row: Record) -> Record:
    return {**row, "db_id": "elsewhere", "prompt": f"CREATE TABLE elsewhere (a INT, b INT);\n{row['question']}\nSQL:"}


def reworded(row: Record) -> Record:
    words = str(row["question"]).rstrip("?.").split()
    return {**row, "question": " ".join(["Please", "tell", "me:", *words, "?"])}


def with_shot(folder: Path) -> None:
    """A test question, with its answer, in one prompt alone, which is none of the first, middle or last."""
    path = folder / "prepared" / "sql.jsonl"
    shot = next(row for row in read_lines(path)[1] if len(row["question"]) > 40)
    change_lines(
        path,
        lambda row: (
            {**row, "prompt": f"Question: {shot['question']}\nSQL: SELECT 1\n\n{row['prompt']}"}
            if row["index"] == 11
            else row
        ),
    )


def right(line: Record, ok: bool) -> Record:
    """A multiple-choice line that is right or wrong in every field."""
    predicted = line["answer"] if ok else (line["answer"] + 1) % 4
    scores = [-9.0] * 4
    scores[predicted] = -0.01
    return {**line, "predicted": predicted, "correct": ok, "correct_raw": None, "log_probabilities": scores,
            "outcome": "correct" if ok else "wrong"}  # fmt: skip


def right_share(share: float, names: Sequence[str] = VARIANTS) -> Plant:
    """That share of each suite's questions is right."""

    def plant(folder: Path) -> None:
        for name in names:
            path = folder / name / "choice.jsonl"
            head, lines = read_lines(path)
            changed = [right(line, (at * 37 % 100) < 100 * share) for at, line in enumerate(lines)]
            write_lines(path, head, changed)

    return plant


def one_giant_database(folder: Path) -> None:
    def change(row: Record) -> Record:
        return row if row["index"] < 3 else {**row, "db_id": "giant"}

    same_everywhere(change)(folder)
    change_lines(folder / "prepared" / "train.jsonl", lambda row: row)


def adapter(variant: str, answered_with: str | None = None) -> Plant:
    """An adapter's files beside the answers, which name it, or another."""

    def plant(folder: Path) -> None:
        place = folder / variant / "adapter"
        place.mkdir()
        (place / "adapter_model.safetensors").write_bytes(variant.encode())
        (place / "adapter_config.json").write_text('{"r": 2}', encoding="utf-8")
        mark = answered_with or adapter_fingerprint(place)
        for file in ("answers.jsonl", "choice.jsonl"):
            sealed(f"{variant}/{file}", adapter=mark)(folder)

    return plant


def table(file: str, variant: str, column: str, value: str) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / "tables" / file
        with open(path, encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        for row in rows:
            if row["variant"] == variant and row.get("average", "micro") == "micro":
                row[column] = value
        with open(path, "w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    return plant


def set_aside(file: str, **parts: Any) -> Plant:
    def plant(folder: Path) -> None:
        path = folder / file
        shutil.copy(path, path.with_name(f"{path.name}.old-1"))
        change_header(path.with_name(f"{path.name}.old-1"), **parts)

    return plant


def worked(stage: str, variant: str, made: str) -> Plant:
    def plant(folder: Path) -> None:
        work = load_run(folder).manifest["work"]
        change_manifest(folder, work=[*work, {"stage": stage, "variant": variant, "seconds": 9.0, "made": made}])

    return plant


def without_variant(folder: Path) -> None:
    known = load_run(folder).config
    change_manifest(folder, config={**known, "variants": [v for v in known["variants"] if v["name"] != "run-2"]})


def checkpoint_alone(folder: Path) -> None:
    """run-1 is not compared, one of its checkpoints is."""
    known = load_run(folder)
    entries, listed = known.manifest["variants"], known.config["variants"]
    step = {**listed[2], "name": "run-1@step-200", "adapter_scale": 1.0, "checkpoint": 200}
    change_manifest(
        folder,
        config={**known.config, "variants": [*listed[:2], step]},
        variants={**entries, "run-1@step-200": {**entries["run-1@0.5"], "kind": "checkpoint", "adapter_scale": 1.0,
                                                "checkpoint": 200}},
    )  # fmt: skip
    (folder / "run-1@0.5").rename(folder / "run-1@step-200")
    change_lines(folder / "run-1@step-200" / "choice.jsonl", lambda line: {**line, "variant": "run-1@step-200"})
    for file in ("answers.jsonl", "choice.jsonl"):
        sealed(f"run-1@step-200/{file}", adapter_scale=1.0)(folder)
    (folder / "run-1" / "choice.jsonl").unlink()


def silent(line: Record) -> Record:
    """An answer in which nothing was found."""
    if line["index"] % 9:
        return line
    return {**line, "text": "I do not know.", "sql": "", "outcome": "no_answer", "execution_match": False,
            "both_empty": False, "error_class": "no_answer", "error": None}  # fmt: skip


def wrong_sql(outcome: str, error: str | None = None, every: int = 8) -> Callable[[Record], Record]:
    def change(line: Record) -> Record:
        if line["index"] % every:
            return line
        return {**line, "outcome": outcome, "execution_match": False, "both_empty": False, "error_class": outcome,
                "error": error, "exact_set_match": False, "sql": line["sql"] or "SELECT 1",
                "text": line["text"] if line["sql"] else "SELECT 1"}  # fmt: skip

    return change


def as_reference(line: Record) -> Record:
    return {**line, "text": line["gold"], "sql": line["gold"], "outcome": "correct", "execution_match": True,
            "error_class": None, "error": None}  # fmt: skip


def cut_off(line: Record) -> Record:
    return {**line, "text": "SELECT name FROM singer WHERE", "finish": "stop"} if line["index"] % 5 == 0 else line


def other_reference(row: Record) -> Record:
    return {**row, "gold": "SELECT 1"} if row["index"] == 3 else row


def mostly_b(line: Record) -> Record:
    return {**line, "method": "letter", "predicted": 1 if sum(map(ord, line["id"])) % 4 else 0}


def climbing(line: Record) -> Record:
    return {**line, "loss": 1 + line["step"] / 50}


PLANTED: list[tuple[str, str, Plant]] = [
    # stored things are found again
    ("prepared-changed", "invalid", same_everywhere(other_reference)),
    ("prepared-changed", "invalid", same_everywhere(lambda row: None if row["index"] % 3 == 0 else row)),
    ("prepared-changed", "invalid", some("prepared/train.jsonl", 0.1, completion="SELECT 1")),
    ("prepared-changed", "invalid", some("prepared/choice.jsonl", 0.1, question="Which?")),
    ("prepared-changed", "invalid", prompts(lambda row: row["prompt"] + "Think. ", rows=1)),
    ("fewer-questions", "warning", config("target", questions=200)),
    ("header-changed", "invalid", header("run-1/answers.jsonl", max_new_tokens=512)),
    ("header-changed", "invalid", header("run-1/sql.jsonl", rules="multiset")),
    ("header-changed", "invalid", header("run-1/choice.jsonl", precision="bfloat16")),
    ("header-changed", "invalid", everywhere("sql.jsonl", lambda file: header(file, limit_seconds=300.0))),
    ("different-setup", "invalid", sealed("run-1/sql.jsonl", databases="0123456789abcdef")),
    ("different-setup", "invalid", sealed("run-2/sql.jsonl", sqlite="3.1.0")),
    ("different-setup", "invalid", both(*(sealed(f"run-{n}/choice.jsonl", lm_eval=f"0.4.{n}") for n in (1, 2)))),
    ("other-databases", "invalid", everywhere("sql.jsonl", lambda file: sealed(file, databases="0123456789abcdef"))),
    ("two-models", "invalid", sealed("run-1/choice.jsonl", adapter="0123456789abcdef")),
    ("two-models", "invalid", sealed("run-1@0.5/choice.jsonl", adapter_scale=1.0)),
    ("manifest-differs", "invalid", sealed("run-1@0.5/answers.jsonl", adapter_scale=0.75)),
    ("manifest-differs", "invalid", entry("run-1@0.5", adapter_scale=0.25)),
    ("manifest-differs", "invalid", config("target", rules="strict")),
    ("manifest-differs", "invalid", config("target", max_new_tokens=64)),
    ("manifest-differs", "invalid", lambda folder: change_manifest(
        folder, model={**load_run(folder).manifest["model"], "weights": "others"})),
    ("tuned-baseline", "invalid", sealed("baseline/answers.jsonl", adapter="0123456789abcdef", adapter_scale=1.0)),
    ("no-adapter", "invalid", sealed("run-2/answers.jsonl", adapter=None, adapter_scale=None)),
    ("other-adapter", "invalid", adapter("run-1", answered_with="0123456789abcdef")),
    ("lines-of-another", "invalid", copied("choice.jsonl", "run-1", "run-2")),
    ("other-source", "invalid", both(*(sealed(f"run-1@0.5/{file}", adapter="0123456789abcdef")
                                       for file in ("answers.jsonl", "choice.jsonl")))),
    ("one-adapter-twice", "invalid", both(*(sealed(file, adapter="0123456789abcdef") for file in (
        "run-1/answers.jsonl", "run-1/choice.jsonl", "run-2/answers.jsonl", "run-2/choice.jsonl")))),
    ("unusable-adapter", "warning", entry("run-2", unusable="its weights are not finite")),
    # lines against themselves
    ("contradictory-lines", "invalid", some("run-1/sql.jsonl", 0.3, outcome="correct")),
    ("contradictory-lines", "invalid", some("run-1/sql.jsonl", 1.0, execution_match=True)),
    ("contradictory-lines", "invalid", some("run-2/sql.jsonl", 1.0, both_empty=True)),
    ("contradictory-lines", "invalid", some("run-2/sql.jsonl", 0.1, sql="")),
    ("contradictory-lines", "invalid", some("run-1/sql.jsonl", 1.0, hardness="easy")),
    ("contradictory-lines", "invalid", some("run-1/choice.jsonl", 0.2, correct=True, outcome="correct")),
    ("contradictory-lines", "invalid", some("run-1/choice.jsonl", 1.0, predicted=2)),
    ("contradictory-lines", "invalid", rewrite("run-1/choice.jsonl", lambda line: {
        **line, "predicted": line["answer"], "correct": True, "outcome": "correct"})),
    ("contradictory-lines", "invalid", some("run-1/choice.jsonl", 0.1, log_probabilities=[0.5, -1.0, -1.0, -1.0])),
    ("verdict-on-another-text", "invalid", rewrite("run-1/answers.jsonl", lambda line: {**line, "text": "SELECT 2"})),
    ("verdict-on-another-text", "invalid", copied("sql.jsonl", "run-1", "run-2")),
    ("statement-not-in-answer", "invalid", some("run-1/sql.jsonl", 0.1, sql="SELECT another FROM thing")),
    ("extracted-otherwise", "warning", rewrite("run-1/sql.jsonl", lambda line: {**line, "sql": line["sql"][:9]})),
    ("no-raw-answers", "warning", lambda folder: (folder / "run-1" / "answers.jsonl").unlink()),
    ("reference-judged-wrong", "warning", rewrite("run-1/sql.jsonl", lambda line: {
        **as_reference(line), "outcome": "wrong", "execution_match": False, "error_class": "wrong_filter"})),
    # variants against each other
    ("identical-answers", "invalid", both(copied("answers.jsonl", "baseline", "run-1"), copied(
        "choice.jsonl", "baseline", "run-1", variant="run-1"))),
    ("identical-answers", "invalid", copied("choice.jsonl", "run-1", "run-1@0.5", variant="run-1@0.5")),
    ("identical-answers", "warning", copied("answers.jsonl", "baseline", "run-2")),
    ("fails-alone", "warning", rewrite("run-1/sql.jsonl", silent)),
    ("fails-alone", "warning", rewrite("run-2/sql.jsonl", wrong_sql("timeout"))),
    ("fails-alone", "warning", rewrite("run-2/sql.jsonl", wrong_sql("invalid_sql", "no such table: singer"))),
    # leaks
    ("reference-in-prompt", "invalid", prompts(lambda row: f"Hint: {row['gold'].upper()}\n{row['prompt']}", rows=5)),
    ("shots-in-test", "invalid", with_shot),
    ("train-in-test", "invalid", taught(renamed)),
    ("train-in-test", "invalid", taught(of_another_database)),
    ("train-elsewhere", "note", taught(of_another_database, rows=1)),
    ("train-in-test", "invalid", taught(lambda row: {**row, "question": row["question"].upper()})),
    ("groups-renamed", "warning", both(prompts(lambda row: "a (b, c)\nd (e, f)\ng (h, i)\n" + row["prompt"]), taught(
        lambda row: renamed({**row, "prompt": "a (b, c)\nd (e, f)\ng (h, i)\n" + row["prompt"]}))),
    ),
    ("train-near-test", "warning", taught(reworded)),
    ("train-near-test", "warning", taught(lambda row: {**row, "question": "Something quite different"})),
    ("train-near-test", "warning", taught(lambda row: renamed(reworded(row)))),
    # plausibility
    ("references-copied", "warning", everywhere("sql.jsonl", lambda file: rewrite(file, as_reference), ["run-1"])),
    ("references-copied", "warning", rewrite("baseline/sql.jsonl", as_reference)),
    ("cut-but-stopped", "warning", rewrite("run-1/answers.jsonl", cut_off)),
    ("cut-but-stopped", "warning", some("run-1/answers.jsonl", 0.2, tokens=256)),
    ("cut-but-stopped", "warning", some("run-1/answers.jsonl", 0.01, tokens=5000)),
    ("one-letter", "warning", rewrite("run-1/choice.jsonl", mostly_b)),
    # settings that all share
    ("not-greedy", "warning", everywhere("answers.jsonl", lambda file: sealed(file, decoding="sampling"))),
    ("not-greedy", "warning", everywhere("answers.jsonl", lambda file: sealed(file, temperature=0.7))),
    ("lenient-rules", "warning", everywhere("sql.jsonl", lambda file: sealed(file, rules="tp4"))),
    ("short-limit", "warning", everywhere("sql.jsonl", lambda file: sealed(file, limit_seconds=0.05))),
    ("no-chat-template", "warning", prompts(lambda row: row["prompt"].split("user\n")[-1].split("<|im_end|>")[0])),
    # sensitivity
    ("near-chance", "warning", right_share(0.29)),
    ("near-ceiling", "warning", right_share(0.99)),
    ("target-floor", "warning", everywhere("sql.jsonl", lambda file: rewrite(file, wrong_sql("wrong", every=1)))),
    ("target-ceiling", "warning", everywhere("sql.jsonl", lambda file: rewrite(file, as_reference))),
    ("giant-cluster", "warning", one_giant_database),
    ("training-diverged", "warning", rewrite("run-1/training.jsonl", climbing)),
    # selection
    ("variants-deleted", "warning", lambda folder: shutil.rmtree(folder / "run-2")),
    ("variants-left", "warning", without_variant),
    ("variants-left", "warning", worked("generate", "run-9", "0123456789abcdef")),
    ("evaluated-again", "warning", set_aside("run-1/answers.jsonl")),
    ("evaluated-again", "warning", set_aside("run-1/choice.jsonl")),
    ("evaluated-again", "warning", set_aside("run-1/sql.jsonl", answers="0123456789abcdef")),
    ("evaluated-again", "warning", worked("generate", "run-1", "0123456789abcdef")),
    ("trained-again", "warning", set_aside("run-1/training.jsonl")),
    ("questions-changed", "note", set_aside("prepared/sql.jsonl")),
    ("checkpoint-picked", "warning", checkpoint_alone),
    # derived files
    ("table-differs", "invalid", table("execution_accuracy.csv", "run-1", "execution_accuracy_percent", "99.9")),
    ("table-differs", "invalid", table("general_accuracy.csv", "run-2", "accuracy_percent", "50")),
    ("table-of-others", "invalid", table("execution_accuracy.csv", "run-1", "variant", "run-7")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "level", "plant"), PLANTED, ids=[f"{code}-{level}-{at}" for at, (code, level, _) in enumerate(PLANTED)]
)
def test_audit_planted_artefact_is_caught(folder: Path, code: str, level: str, plant: Plant) -> None:
    before = [finding for finding in findings(folder) if finding.code == code]
    assert before == []
    plant(folder)
    caught = [finding for finding in findings(folder) if finding.code == code]
    assert caught, [finding.code for finding in findings(folder) if finding.level != "note"]
    assert {finding.level for finding in caught} == {level}
    for finding in caught:
        for voice in (Voice("en"), Voice("pt-BR")):
            evidence, advice = finding.say(voice)
            assert "{" not in evidence + advice
            assert evidence != advice


def test_plants_are_many() -> None:
    assert len(PLANTED) > 60


def test_audit_verdicts_judged_again_are_no_selection(folder: Path) -> None:
    set_aside("run-1/sql.jsonl", sqlite="3.1.0")(folder)
    assert "evaluated-again" not in {finding.code for finding in findings(folder)}


def test_audit_answers_that_end_in_a_remark_are_not_cut(folder: Path) -> None:
    remark = "SELECT name FROM singer\n\nThis query lists every singer there is."
    some("run-1/answers.jsonl", 0.5, text=remark, finish="stop", tokens=20)(folder)
    assert "cut-but-stopped" not in {finding.code for finding in findings(folder)}


def test_audit_question_that_begins_another_is_no_shot(folder: Path) -> None:
    first = read_lines(folder / "prepared" / "sql.jsonl")[1][0]

    def change(row: Record) -> Record:
        if row["index"] != 1:
            return row
        longer = f"{first['question']} (short answer)"
        return {**row, "question": longer, "prompt": first["prompt"].replace(first["question"], longer)}

    same_everywhere(lambda row: change({"prompt": "", **row}))(folder)
    assert "shots-in-test" not in {finding.code for finding in findings(folder)}


def test_audit_adapter_that_answered_is_no_finding(folder: Path) -> None:
    adapter("run-1")(folder)
    sealed("run-1@0.5/answers.jsonl", adapter=read_header(folder / "run-1" / "answers.jsonl")["adapter"])(folder)
    sealed("run-1@0.5/choice.jsonl", adapter=read_header(folder / "run-1" / "choice.jsonl")["adapter"])(folder)
    assert [finding.evidence for finding in findings(folder) if finding.level == "invalid"] == []


def test_audit_folder_of_before_without_fingerprints_raises_no_alarm(folder: Path) -> None:
    for path in [*folder.glob("prepared/*.jsonl"), *folder.glob("*/*.jsonl")]:
        _, lines = read_lines(path)
        kept = {key: value for key, value in read_header(path).items() if key in ("rules", "suites", "left_out")}
        write_lines(path, kept, lines)
    known = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(
        json.dumps({key: known[key] for key in ("name", "config", "variants")}), encoding="utf-8"
    )
    assert [finding.evidence for finding in findings(folder) if finding.level != "note"] == []


def test_audit_adapter_behind_a_server_is_no_other_adapter(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", variants(2))
    adapter("run-1", answered_with="0123456789abcdef")(folder)
    assert "other-adapter" in {finding.code for finding in findings(folder)}
    for file in ("answers.jsonl", "choice.jsonl"):
        sealed(f"run-1/{file}", engine={"kind": "server"})(folder)
    assert "other-adapter" not in {finding.code for finding in findings(folder)}


@pytest.mark.parametrize("count", [2, 6, 12])
@pytest.mark.parametrize("size", ["demo", "spider"])
def test_audit_clean_run_says_nothing_that_is_not_true(tmp_path: Path, size: Any, count: int) -> None:
    """Above a note stand only what the simulation drew: a variant near chance, or one with some answers missing."""
    found = findings(write_run(tmp_path / "run", variants(count), size=size, seed=count))
    assert {finding.code for finding in found if finding.level != "note"} <= {"at-chance", "no-sql"}
    assert [finding.evidence for finding in found if finding.level == "invalid"] == []
