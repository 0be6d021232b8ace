"""lm-eval tasks on a tiny random model: its per-sample records as ours, checked against plain forward passes."""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from paretune.choice import lm_eval
from paretune.choice.lm_eval import LmEvalSuite, _categories, read_lm_eval
from paretune.choice.lm_eval import score_lm_eval as score_by_engine
from paretune.errors import ConfigError, DataError, ScoringError
from paretune.records import ChoiceAnswer, ChoiceOutcome
from tests.engines.asked import engine_of
from tests.tiny_models import add_tiny_adapter, tiny_model, tiny_tokenizer

ROWS: list[dict[str, Any]] = [
    {"question": f"Which is {number}?", "choices": ["one", "two and two", "threes", "é"], "answer": number % 4}
    for number in range(6)
]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed (pip install '.[lm-eval]')")
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    return tiny_model("qwen2")


def _task(folder: Path, name: str, rows: list[dict[str, Any]] | None = None, **settings: Any) -> dict[str, Any]:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (ROWS if rows is None else rows)))
    return {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(file), "dev": str(file)}, "cache_dir": str(folder / "cache")},
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_target": "answer",
        "doc_to_choice": "choices",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    } | settings


def score_lm_eval(
    model: Any, tokenizer: Any, suite: LmEvalSuite, *, variant: str, longest: int = 2048
) -> list[ChoiceAnswer]:
    engine = engine_of(model, tokenizer, context_tokens=longest)
    return score_by_engine(engine.lm_eval_model, engine.count_tokens, suite, variant=variant)


def run_lm_eval(
    model: Any, tokenizer: Any, tasks: list[Any], limit: int | None, *, variant: str = "baseline", **settings: Any
) -> list[ChoiceAnswer]:
    suites = read_lm_eval(tasks, limit=limit, **settings)
    return [answer for suite in suites for answer in score_lm_eval(model, tokenizer, suite, variant=variant)]


def _log_probability(model: Any, tokenizer: Any, context: str, continuation: str) -> float:
    """log P(continuation | context) by one plain forward pass."""
    import torch

    prompt = tokenizer(context, add_special_tokens=False)["input_ids"]
    whole = tokenizer(context + continuation, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        rows = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return float(sum(rows[place - 1, whole[place]] for place in range(len(prompt), len(whole))))


def test_run_lm_eval_cloze_task_equals_plain_forward(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    answers = run_lm_eval(model, tokenizer, [_task(tmp_path, "tiny_cloze")], None, variant="run-1")
    assert [answer.id for answer in answers] == [f"tiny_cloze/{n}" for n in range(6)]
    for row, answer in zip(ROWS, answers, strict=True):
        context = f"Question: {row['question']}\nAnswer:"
        plain = [_log_probability(model, tokenizer, context, f" {option}") for option in row["choices"]]
        scores = [total / len(option) for total, option in zip(plain, row["choices"], strict=True)]
        assert answer.log_probabilities == pytest.approx(plain, abs=1e-4)
        assert (answer.method, answer.variant, answer.suite) == ("cloze", "run-1", "lm-eval/tiny_cloze")
        assert answer.subject == answer.category == "tiny_cloze"
        assert answer.answer == row["answer"]
        assert answer.predicted == scores.index(max(scores))
        assert answer.correct == (answer.predicted == row["answer"])
        assert answer.correct_raw == (plain.index(max(plain)) == row["answer"])
        assert answer.outcome == (ChoiceOutcome.CORRECT if answer.correct else ChoiceOutcome.WRONG)
        assert answer.prompt_tokens == len(tokenizer(context)["input_ids"])


def test_run_lm_eval_letter_task_has_letter_mass(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    task = _task(tmp_path, "tiny_letter", doc_to_choice=["A", "B", "C", "D"], metric_list=[{"metric": "acc"}])
    answers = run_lm_eval(model, tokenizer, [task], 4, shots=2)
    assert len(answers) == 4
    for answer in answers:
        assert (answer.method, answer.correct_raw) == ("letter", None)
        assert answer.letter_mass == pytest.approx(sum(math.exp(total) for total in answer.log_probabilities))
        assert answer.predicted == answer.log_probabilities.index(max(answer.log_probabilities))
        assert answer.correct == (answer.predicted == answer.answer)
    without = run_lm_eval(model, tokenizer, [task], 4, shots=0)
    assert all(more.prompt_tokens > less.prompt_tokens for more, less in zip(answers, without, strict=True))


def _context_number(row: dict[str, Any]) -> int:
    return int(row["answer"]) % 2


def _contexts(row: dict[str, Any]) -> list[str]:
    return [f"{row['question']} {option}" for option in row["choices"][:2]]


def test_run_lm_eval_context_per_option_finds_the_right_one(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    task = _task(
        tmp_path,
        "tiny_partial",
        doc_to_text=_context_number,
        doc_to_choice=_contexts,
        doc_to_target=lambda row: "and so on",
        metric_list=[{"metric": "acc"}],
    )
    answers = run_lm_eval(model, tokenizer, [task], None)
    assert [answer.answer for answer in answers] == [row["answer"] % 2 for row in ROWS]
    assert all(answer.correct == (answer.predicted == answer.answer) for answer in answers)


def test_run_lm_eval_generating_task_keeps_the_text(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    rows = [{"question": "Go on", "answer": "xyz"}]
    task = _task(
        tmp_path,
        "tiny_generate",
        rows,
        output_type="generate_until",
        doc_to_choice=None,
        generation_kwargs={"until": ["\n\n"], "max_gen_toks": 4},
        metric_list=[{"metric": "exact_match"}],
    )
    (answer,) = run_lm_eval(model, tokenizer, [task], None)
    assert (answer.method, answer.outcome, answer.predicted) == ("generate", ChoiceOutcome.WRONG, None)
    assert answer.log_probabilities == ()
    assert answer.text
    (right,) = run_lm_eval(
        model, tokenizer, [_task(tmp_path, "again", [rows[0] | {"answer": answer.text}], **_changes(task))], None
    )
    assert (right.outcome, right.predicted) == (ChoiceOutcome.CORRECT, 0)


def _changes(task: dict[str, Any]) -> dict[str, Any]:
    return {name: task[name] for name in ("output_type", "doc_to_choice", "generation_kwargs", "metric_list")}


def test_run_lm_eval_single_continuation_is_one_option(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    task = _task(
        tmp_path,
        "tiny_lambada",
        output_type="loglikelihood",
        doc_to_target=" {{choices[0]}}",
        doc_to_choice=None,
        metric_list=[{"metric": "acc"}],
    )
    answers = run_lm_eval(model, tokenizer, [task], 2)
    assert [(len(a.log_probabilities), a.predicted) for a in answers] == [
        (1, 0 if a.correct else None) for a in answers
    ]


def test_run_lm_eval_adapter_changes_the_figures(tokenizer: Any, tmp_path: Path) -> None:
    base = run_lm_eval(tiny_model("qwen2"), tokenizer, [_task(tmp_path, "tiny_base")], 2)
    tuned = run_lm_eval(add_tiny_adapter(tiny_model("qwen2")), tokenizer, [_task(tmp_path, "tiny_base")], 2)
    assert [a.id for a in base] == [a.id for a in tuned]
    assert base[0].log_probabilities != tuned[0].log_probabilities


def test_run_lm_eval_metric_without_verdict_is_refused(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    task = _task(tmp_path, "tiny_f1", metric_list=[{"metric": "f1"}])
    with pytest.raises(ScoringError, match="tiny_f1: no metric says right or wrong"):
        run_lm_eval(model, tokenizer, [task], 2)


def test_run_lm_eval_missing_data_names_the_task(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    task = _task(tmp_path, "tiny_gone")
    (tmp_path / "tiny_gone.jsonl").unlink()
    with pytest.raises(DataError, match="lm-eval cannot load tiny_gone"):
        run_lm_eval(model, tokenizer, [task], 2)


def test_run_lm_eval_no_task_is_refused(model: Any, tokenizer: Any) -> None:
    with pytest.raises(ConfigError, match="name at least one task"):
        run_lm_eval(model, tokenizer, [], 2)


def test_categories_task_of_a_group_takes_its_name() -> None:
    loaded = {
        "tasks": {"one": None, "two": None, "alone": None},
        "group_map": {"all": ["half"], "half": ["one", "two"]},
    }
    assert _categories(loaded) == {"one": "half", "two": "half", "alone": "alone"}


def test_run_lm_eval_definition_it_cannot_use_is_refused(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lm-eval cannot load tiny_odd"):
        run_lm_eval(model, tokenizer, [_task(tmp_path, "tiny_odd", flavour="sweet")], 1)


def test_read_lm_eval_unknown_name_names_the_nearest(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Index:  # the real one takes half a minute
        def __init__(self, include_path: str | None, include_defaults: bool) -> None:
            self.all_tasks = ("arc_easy", "hellaswag") if include_defaults else ()

    monkeypatch.setattr("lm_eval.tasks.TaskManager", Index)
    lm_eval._manager.cache_clear()
    with pytest.raises(ConfigError, match="no task 'helaswag'; the nearest are hellaswag, arc_easy"):
        read_lm_eval(["arc_easy", "helaswag"])
    lm_eval._manager.cache_clear()


def test_read_lm_eval_absent_package_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    monkeypatch.setitem(sys.modules, "lm_eval.evaluator", None)
    with pytest.raises(ConfigError, match=r"pip install '\.\[lm-eval\]'"):
        read_lm_eval(["arc_easy"])


@pytest.mark.parametrize("version", ["0.4.11", "0.4.9.1", "0.3.0", "0.4.11.dev0"])
def test_read_lm_eval_version_that_cannot_work_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: version)
    with pytest.raises(ConfigError, match=rf"lm-eval {re.escape(version)} is too old: .* needs 0\.4\.12 or newer"):
        read_lm_eval(["arc_easy"])


@pytest.mark.parametrize("version", ["0.4.12", "0.4.13", "0.5", "1.0.0"])
def test_read_lm_eval_version_that_can_work_is_not_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: version)
    monkeypatch.setitem(sys.modules, "lm_eval.evaluator", None)
    with pytest.raises(ConfigError) as refused:  # the import that follows fails on purpose
        read_lm_eval(["arc_easy"])
    assert "too old" not in str(refused.value)


def test_run_lm_eval_records_are_writable_as_lines(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    (answer,) = run_lm_eval(model, tokenizer, [_task(tmp_path, "tiny_line")], 1)
    assert isinstance(answer, ChoiceAnswer)
    assert json.loads(json.dumps(asdict(answer), allow_nan=False))["predicted"] == answer.predicted


def write_task_files(folder: Path, **tasks: dict[str, Any]) -> Path:
    """A folder of task files (JSON is YAML)."""
    folder.mkdir(exist_ok=True)
    for name, task in tasks.items():
        (folder / f"{name}.yaml").write_text(json.dumps(task), encoding="utf-8")
    return folder


def test_read_lm_eval_folder_of_task_files_needs_no_index_and_no_model(
    tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters: dict[str, Any] = {"doc_to_choice": ["A", "B", "C", "D"], "metric_list": [{"metric": "acc"}]}
    folder = write_task_files(
        tmp_path / "tasks",
        one=_task(tmp_path, "tiny_one", num_fewshot=2),
        two=_task(tmp_path, "tiny_two", **letters),
        both={"group": "tiny_both", "task": ["tiny_one", "tiny_two"]},
    )
    real = lm_eval._manager

    def manager(own: Path | None, *, with_defaults: bool) -> Any:
        assert not with_defaults
        return real(own, with_defaults=False)

    monkeypatch.setattr(lm_eval, "_manager", manager)
    suites = read_lm_eval(["tiny_both"], folder, limit=3)
    assert [(s.name, s.method, s.shots, len(s.questions)) for s in suites] == [
        ("lm-eval/tiny_both/cloze", "cloze", 2, 3),
        ("lm-eval/tiny_both/letter", "letter", 0, 3),
    ]
    cloze, letter = suites
    assert cloze.chance == letter.chance == 0.25
    assert {question.category for question in cloze.questions} == {"tiny_both"}
    assert letter.questions[1].question == "Question: Which is 1?\nAnswer:"
    assert letter.requests[1] == {
        "contexts": ["Question: Which is 1?\nAnswer:"],
        "continuations": [" A", " B", " C", " D"],
    }
    assert cloze.requests[1]["contexts"][0].count("Answer:") == 3
    assert cloze.metrics == {"tiny_one": "acc_norm"}
    assert "right or wrong by acc_norm" in cloze.notes[0]
    (alone,) = read_lm_eval(["tiny_one"], folder, shots=0)
    assert (alone.name, alone.shots, len(alone.questions)) == ("lm-eval/tiny_one", 0, 6)
    with pytest.raises(ConfigError, match="tiny_one is asked through tiny_both and through tiny_one"):
        read_lm_eval(["tiny_both", "tiny_one"], folder)


def test_read_lm_eval_folder_that_is_not_there_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent: no such folder of lm-eval task files"):
        read_lm_eval(["tiny_one"], tmp_path / "absent")


def test_read_lm_eval_shots_drawn_by_chance_are_drawn_alike(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    import random

    task = _task(tmp_path, "tiny_drawn", fewshot_config={"sampler": "default"})
    random.seed(5)
    state = random.getstate()
    first, second = (read_lm_eval([task], shots=2)[0] for _ in range(2))
    assert random.getstate() == state
    assert first.requests == second.requests
    assert len({tuple(request["contexts"]) for request in first.requests}) == len(ROWS)
    answers = [score_lm_eval(model, tokenizer, first, variant=name) for name in ("baseline", "run-1")]
    assert [answer.log_probabilities for answer in answers[0]] == [answer.log_probabilities for answer in answers[1]]


def test_score_lm_eval_other_prompt_than_prepared_is_refused(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    (suite,) = read_lm_eval([_task(tmp_path, "tiny_moved")], limit=2)
    changed = replace(suite, requests=({**suite.requests[0], "contexts": ["else"]}, *suite.requests[1:]))
    with pytest.raises(ScoringError, match="tiny_moved, question 0: not asked as it was prepared"):
        score_lm_eval(model, tokenizer, changed, variant="baseline")


def test_read_lm_eval_metric_between_right_and_wrong_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    task = _task(tmp_path, "tiny_share", process_results=_share, metric_list=[{"metric": "acc"}])
    with pytest.raises(ScoringError, match="tiny_share: no metric says right or wrong"):
        read_lm_eval([task])


def _share(row: dict[str, Any], results: list[tuple[float, bool]]) -> dict[str, float]:
    return {"acc": 1 / (1 + math.exp(results[0][0]))}


def test_score_lm_eval_without_memory_halves_the_batch(
    model: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (suite,) = read_lm_eval([_task(tmp_path, "tiny_memory")], limit=2)
    plain = score_lm_eval(model, tokenizer, suite, variant="baseline")
    evaluate, sizes = lm_eval._evaluate, []

    def scarce(language_model: Any, tasks: Any, limit: int | None) -> Any:
        sizes.append(language_model.batch_size)
        if language_model.batch_size > 2:
            raise RuntimeError("CUDA out of memory")
        return evaluate(language_model, tasks, limit)

    monkeypatch.setattr(lm_eval, "_evaluate", scarce)
    again = score_lm_eval(model, tokenizer, suite, variant="baseline")
    assert sizes == [8, 4, 2]
    assert [answer.predicted for answer in again] == [answer.predicted for answer in plain]


def test_score_lm_eval_leaves_the_tokenizer_as_it_is(model: Any, tmp_path: Path) -> None:
    own = tiny_tokenizer()
    before = (own.padding_side, own.pad_token, own.model_max_length, own.truncation_side)
    suite: LmEvalSuite = read_lm_eval([_task(tmp_path, "tiny_left")], limit=1)[0]
    score_lm_eval(model, own, suite, variant="baseline", longest=64)
    assert (own.padding_side, own.pad_token, own.model_max_length, own.truncation_side) == before
