from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from paretune.analysis.audit import audit_run
from paretune.cli import main
from paretune.files import fingerprint
from paretune.models.adapters import adapter_fingerprint, fingerprint_as_written
from paretune.run.folder import work_seconds
from paretune.run.jsonl import read_lines, write_lines
from paretune.run.load import load_run
from tests.pipeline.conftest import EXPERIMENT, VARIANTS, Commands, WholeRun
from tests.pipeline.warm import import_everything

LIMIT_SECONDS = 120.0
PARTS = ("answers", "sql", "choice")


def contents(folder: Path, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob(pattern))}


def answers(folder: Path) -> dict[str, bytes]:
    return contents(folder, "*/answers.jsonl*") | contents(folder, "*/choice.jsonl*")


def adapters(folder: Path) -> dict[str, bytes]:
    return contents(folder, "*/adapter/*") | contents(folder, "*/training.jsonl*")


def test_run_of_everything_prints_both_tables_and_the_page(whole_run: WholeRun) -> None:
    assert whole_run.result.status == 0, whole_run.result.err
    printed = whole_run.result.out
    assert "Execution accuracy in percent: demo, 24 questions" in printed
    assert "General accuracy in percent: demo by cloze" in printed
    assert printed.rstrip().endswith(str(whole_run.folder / "report" / "index.html"))
    for variant in VARIANTS:
        assert f"\n{variant} " in printed


def test_run_of_everything_leaves_every_file(whole_run: WholeRun) -> None:
    folder = whole_run.folder
    wanted = ["manifest.json", "report/index.html", "report/tradeoff.svg", "report/tradeoff.png"]
    wanted += [f"prepared/{name}.jsonl" for name in ("sql", "train", "choice")]
    wanted += [f"{variant}/{name}.jsonl" for variant in VARIANTS for name in ("answers", "sql", "choice")]
    for variant in ("run-1", "run-2"):
        wanted += [f"{variant}/training.jsonl", f"{variant}/adapter/adapter_model.safetensors"]
    for name in ("execution_accuracy", "general_accuracy", "tradeoff", "by_hardness"):
        wanted += [f"tables/{name}.{form}" for form in ("csv", "md", "tex")]
    missing = [name for name in wanted if not (folder / name).is_file() or not (folder / name).stat().st_size]
    assert missing == []
    assert not (folder / "lock.json").exists()
    assert list(folder.rglob("*.part")) == []


def test_run_of_everything_answers_every_question_once(whole_run: WholeRun) -> None:
    asked = [item["index"] for item in read_lines(whole_run.folder / "prepared" / "sql.jsonl")[1]]
    chosen = [item["id"] for item in read_lines(whole_run.folder / "prepared" / "choice.jsonl")[1]]
    assert len(asked) == 24
    for variant in VARIANTS:
        for name in ("answers", "sql"):
            records = read_lines(whole_run.folder / variant / f"{name}.jsonl")[1]
            assert sorted(record["index"] for record in records) == sorted(asked)
        records = read_lines(whole_run.folder / variant / "choice.jsonl")[1]
        assert sorted(record["id"] for record in records) == sorted(chosen)


def test_run_of_everything_gives_each_variant_answers_of_its_own(whole_run: WholeRun) -> None:
    """An adapter that is not applied, or applied at the wrong scale, would answer as another variant does."""
    texts = [
        tuple(record["text"] for record in read_lines(whole_run.folder / variant / "answers.jsonl")[1])
        for variant in VARIANTS
    ]
    assert len(set(texts)) == len(VARIANTS)


def test_second_run_does_nothing_anew(commands: Commands, copied_run: Path) -> None:
    before = answers(copied_run) | adapters(copied_run) | contents(copied_run, "tables/*_accuracy.csv")
    times = {path: path.stat().st_mtime_ns for path in copied_run.glob("*/*.jsonl")}
    result = commands.run("run", copied_run, drawn=False)
    assert result.status == 0, result.err
    for variant in ("run-1", "run-2"):
        assert f"{variant}: already trained" in result.lines
    for variant in VARIANTS:
        assert f"{variant}: already answered" in result.lines
    assert not any(line.startswith("loading") for line in result.lines)
    assert answers(copied_run) | adapters(copied_run) | contents(copied_run, "tables/*_accuracy.csv") == before
    assert {path: path.stat().st_mtime_ns for path in copied_run.glob("*/*.jsonl")} == times


def test_changed_setting_of_generation_starts_it_anew_and_leaves_the_rest(
    commands: Commands, copied_run: Path, whole_run: WholeRun
) -> None:
    trained = adapters(copied_run)
    chosen = contents(copied_run, "*/choice.jsonl")
    result = commands.run("evaluate", copied_run, "target.max_new_tokens=4")
    assert result.status == 0, result.err
    for variant in VARIANTS:
        said = f"{variant}: settings changed; answers.jsonl starts anew, the former is kept as answers.jsonl.old-1"
        assert said in result.lines
        former = (copied_run / variant / "answers.jsonl.old-1").read_bytes()
        assert former == (whole_run.folder / variant / "answers.jsonl").read_bytes()
        header, records = read_lines(copied_run / variant / "answers.jsonl")
        assert header["max_new_tokens"] == 4
        assert len(records) == 24
        assert all(record["tokens"] <= 4 for record in records)
        judged = read_lines(copied_run / variant / "sql.jsonl")[0]
        assert judged["answers"] == header["fingerprint"]
    assert adapters(copied_run) == trained
    assert contents(copied_run, "*/choice.jsonl*") == chosen


def test_second_process_on_one_folder_is_refused_and_told_by_whom(
    commands: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in commands.environment.items():  # else main() sets some of these for the tests to come
        monkeypatch.setenv(name, value)
    for name in ("CUDA_VISIBLE_DEVICES", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "")
    folder = tmp_path / "shared"
    import_everything()  # else the first process ends while this one is still importing
    words = commands.words("prepare", folder)
    first = commands.start(words)
    until = time.monotonic() + LIMIT_SECONDS
    while not (folder / "lock.json").exists() and time.monotonic() < until:
        time.sleep(0.001)
    status = main(words)
    finished = commands.finish()
    assert status == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {folder}: in use by process {first} on ")
    assert f"(paretune {' '.join(words)})" in error
    assert error.count("\n") == 1
    assert finished.status == 0, finished.err
    assert (folder / "prepared" / "sql.jsonl").is_file()


def states(printed: str) -> dict[str, list[str]]:
    """What `list` says of each variant, up to the time, and of what is prepared."""
    rows = [line.split() for line in printed.splitlines() if line.startswith((*VARIANTS, "prepared:"))]
    return {row[0]: row[1:-2] if row[0] != "prepared:" else row[1:] for row in rows}


def unwrapped(printed: str) -> str:
    """What was printed as one line, however long the folder's name is."""
    return " ".join(printed.split())


def test_list_knows_what_other_settings_made(commands: Commands, copied_run: Path) -> None:
    printed = commands.run("list", copied_run).out
    same = states(printed)
    assert set(same) == {*VARIANTS, "prepared:"}
    assert {name: same[name] for name in ("baseline", "run-1")} == {
        "baseline": ["–", "24/24", "36/36"], "run-1": ["done", "24/24", "36/36"],
    }  # fmt: skip
    assert "4 of 4 variants complete" in printed
    assert unwrapped(printed).endswith(f" page: {(copied_run / 'report' / 'index.html').resolve()}")
    other_rank = states(commands.run("list", copied_run, "variant.run-1.rank=3").out)
    outdated = ["24/24", "outdated", "36/36", "outdated"]
    assert other_rank == {**same, "run-1": ["outdated", *outdated], "run-1@0.5": ["–", *outdated]}
    fewer = states(commands.run("list", copied_run, "target.questions=20").out)
    assert fewer["prepared:"][:3] == ["sql", "24/20", "outdated,"]
    assert fewer["run-2"] == ["done", "24/20", "outdated", "36/36"]
    assert list(copied_run.glob("prepared/*.old-*")) == []


def test_list_of_a_run_folder_alone_needs_no_experiment_file(commands: Commands, copied_run: Path) -> None:
    (copied_run / "run-2" / "sql.jsonl").unlink()
    commands.start(["list", str(copied_run)])
    result = commands.finish()
    assert result.status == 0, result.err
    assert states(result.out)["run-2"] == ["done", "24/24", "not", "judged", "36/36"]
    assert "3 of 4 variants complete" in result.out
    assert "not checked against the settings: no experiment file was named" in unwrapped(result.out)


def test_list_without_the_model_counts_and_says_why(commands: Commands, copied_run: Path) -> None:
    result = commands.run("list", copied_run, "model.path=./absent.gguf")
    assert result.status == 0, result.err
    assert states(result.out)["run-1"] == ["done", "24/24", "36/36"]
    assert re.search(r"not checked against the settings: \S+absent\.gguf: no such file", unwrapped(result.out))


def test_dry_run_says_what_is_done_and_what_would_be_made_anew(commands: Commands, copied_run: Path) -> None:
    words = commands.words("run", copied_run, "variant.run-2.rank=3")
    commands.start([*words, "--dry-run"])
    printed = commands.finish().out
    assert "variant baseline: evaluate; done already: answers, sql, choice\n" in printed
    assert "at 0.01, evaluate; done already: adapter, answers, sql, choice\n" in printed
    assert "at 0.001, evaluate; outdated, would be made anew: adapter, answers, sql, choice\n" in printed
    assert printed.splitlines()[-1] == f"time: about 1 minute by the speed of 1 run in {copied_run.parent}"


def test_dry_run_of_a_finished_run_says_that_nothing_is_left(commands: Commands, copied_run: Path) -> None:
    commands.start([*commands.words("run", copied_run), "--dry-run"])
    assert commands.finish().out.splitlines()[-1] == "time: nothing is left to train or answer"


def test_dry_run_without_an_earlier_run_knows_no_time(commands: Commands, tmp_path: Path) -> None:
    commands.start([*commands.words("run", tmp_path / "new" / "run"), "--dry-run"])
    said = commands.finish().out.splitlines()[-1]
    assert said == (
        f"time: not known; no earlier run in {tmp_path / 'new'} has this model, task and machine; "
        "`paretune plan` estimates it"
    )


def test_run_says_the_place_of_each_variant_and_the_time_left(whole_run: WholeRun) -> None:
    said = [line for line in whole_run.result.lines if line.startswith("variant ")]
    assert [line.partition(",")[0] for line in said] == [
        f"variant {number} of 4: {name}" for number, name in enumerate(VARIANTS, start=1)
    ]
    assert "left" not in said[0]  # nothing is known yet
    assert said[-1].endswith("left")  # writing answers is known, and training is over
    bars = [line for line in whole_run.result.err.replace("\r", "\n").splitlines() if "%" in line]
    assert any(line.startswith("3/4 run-2 train ") for line in bars)


def test_changed_rules_keep_the_former_verdicts_and_say_so(commands: Commands, copied_run: Path) -> None:
    former = (copied_run / "run-1" / "sql.jsonl").read_bytes()
    result = commands.run("evaluate", copied_run, "target.rules=strict")
    assert result.status == 0, result.err
    assert "run-1: answers, rules, data or versions changed; sql.jsonl is judged anew, the former is kept as" in (
        result.err
    )
    assert (copied_run / "run-1" / "sql.jsonl.old-1").read_bytes() == former


def test_adapter_that_is_not_finite_is_left_out_and_the_others_reported(commands: Commands, copied_run: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = copied_run / "run-2" / "adapter" / "adapter_model.safetensors"
    tensors = load_file(path)
    sound = {name: tensor.clone() for name, tensor in tensors.items()}
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, path)
    result = commands.run("run", copied_run, drawn=False)
    assert result.status == 0, result.err
    assert "run-2: its weights are not finite (" in result.err
    assert "run-2: left out of the tables (its weights are not finite" in result.err
    assert "\nrun-1 " in result.out
    assert "\nrun-2 " not in result.out
    save_file(sound, path)
    assert "\nrun-2 " in commands.run("run", copied_run, drawn=False).out


def test_costs_count_only_the_work_on_what_is_there(commands: Commands, copied_run: Path) -> None:
    result = commands.run("evaluate", copied_run, "target.max_new_tokens=4")
    assert result.status == 0, result.err
    records = load_run(copied_run)
    generated = [
        entry for entry in records.manifest["work"] if (entry["stage"], entry["variant"]) == ("generate", "run-1")
    ]
    assert len(generated) == 2
    seconds = work_seconds(records.manifest, "run-1", records.variant("run-1").headers)
    assert seconds["generate"] == generated[1]["seconds"]


def test_prepare_for_a_further_variant_keeps_the_training_rows(commands: Commands, copied_run: Path) -> None:
    path = copied_run / "prepared" / "train.jsonl"
    header, rows = read_lines(path)
    write_lines(path, {**header, "left_out": {"run-1": 0}}, rows)  # as an experiment of one variant less left it
    result = commands.run("prepare", copied_run)
    assert result.status == 0, result.err
    assert read_lines(path) == (header, rows)
    assert list(path.parent.glob("*.old-*")) == []


def test_run_one_variant_of_a_fresh_folder_evaluates_the_baseline_too(commands: Commands, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    commands.start([*commands.words("run", folder), "--variant", "run-1@0.5"], drawn=False)
    result = commands.finish()
    assert result.status == 0, result.err
    assert "\nrun-1@0.5 " in result.out
    assert {path.parent.name for path in folder.glob("*/sql.jsonl")} == {"prepared", "baseline", "run-1@0.5"}


@pytest.mark.parametrize("stage", ["prepare", "train", "evaluate", "list"])
def test_export_of_a_stage_without_results_is_refused_first(
    commands: Commands, tmp_path: Path, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = commands.words(stage, tmp_path / "none")
    assert main([*words, "--export", "tp4"]) == 2
    assert f"--export: {stage} makes no results to export" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_audit_of_a_real_run_finds_nothing_that_contradicts_itself(whole_run: WholeRun, copied_run: Path) -> None:
    """A random model writes no SQL and never stops, which is said; nothing else is invalid."""
    of_a_random_model = {"no-sql", "cut-statements", "below-chance"}
    invalid = {finding.code for finding in audit_run(load_run(whole_run.folder)) if finding.level == "invalid"}
    assert invalid <= of_a_random_model
    file = "adapter/adapter_model.safetensors"
    (copied_run / "run-1" / file).write_bytes((copied_run / "run-2" / file).read_bytes())
    found = {finding.code for finding in audit_run(load_run(copied_run)) if finding.level == "invalid"}
    assert found - invalid == {"other-adapter"}


def test_answers_with_an_earlier_releases_fingerprint_of_the_adapter_stay_valid(
    commands: Commands, copied_run: Path
) -> None:
    """Up to 0.1 the order of target_modules in adapter_config.json counted."""
    config = copied_run / "run-1" / "adapter" / "adapter_config.json"
    settings = json.loads(config.read_text())
    settings["target_modules"] = sorted(settings["target_modules"], reverse=True)
    config.write_text(json.dumps(settings))
    earlier = fingerprint_as_written(config.parent)
    assert earlier != adapter_fingerprint(config.parent)
    for name in ("answers", "choice"):
        path = copied_run / "run-1" / f"{name}.jsonl"
        header, lines = read_lines(path)
        decided = {**header, "adapter": earlier}
        mark = fingerprint({key: value for key, value in decided.items() if key not in ("kind", "fingerprint")})
        write_lines(path, {**decided, "fingerprint": mark}, lines)
    before = answers(copied_run)
    done = commands.run("evaluate", copied_run)
    assert done.status == 0, done.err
    assert "run-1: already answered" in done.lines
    assert answers(copied_run) == before


def test_prepare_with_one_variant_more_sets_nothing_aside(commands: Commands, copied_run: Path) -> None:
    file = commands.home / "more.toml"
    file.write_text(EXPERIMENT + '[[variant]]\nname = "run-3"\nmax_tokens = 900\n', encoding="utf-8")
    commands.start(["prepare", str(file), "--out", str(copied_run)])
    assert commands.finish().status == 0
    assert not list((copied_run / "prepared").glob("*.old-*"))
    assert "run-3" in read_lines(copied_run / "prepared" / "train.jsonl")[0]["left_out"]
