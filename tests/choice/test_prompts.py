"""Our prompts against lm-eval's own rendering of the same rows, string for string; then the forms that are ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paretune.choice.prompts import build_prompts
from paretune.choice.suites.load import Suite, load_suite
from paretune.choice.suites.mmlu import MMLU_CATEGORIES
from paretune.errors import PromptError
from paretune.records import ChoicePrompt, ChoiceQuestion, Method

Rows = list[dict[str, Any]]
Request = tuple[str, str]

# Texts that break careless templates: braces, quotes, digits alone, outer blanks, accents, underscores.
AWKWARD = ("{{x}} 100 %", 'it\'s "so"\\n', "12", " leading", "trailing ", "São Paulo é 東京", "a_b", "two  spaces")


def _labelled(number: int, n_options: int = 4, labels: str = "ABCDE") -> dict[str, Any]:
    texts = [f"{AWKWARD[(number + option) % len(AWKWARD)]}{option}" for option in range(n_options)]
    return {
        "question": f"{AWKWARD[number % len(AWKWARD)]} question {number}?",
        "choices": {"text": texts, "label": list(labels[:n_options])},
        "answerKey": labels[number % n_options],
    }


def _mmlu_row(number: int) -> dict[str, Any]:
    row = _labelled(number)
    return {"question": f" {row['question']}\n", "choices": row["choices"]["text"], "answer": number % 4}


def _openbookqa_row(number: int) -> dict[str, Any]:
    row = _labelled(number)
    row["question_stem"] = row.pop("question")
    return row


def _hellaswag_row(number: int) -> dict[str, Any]:
    return {
        "activity_label": f"Knitting {number}",
        "ctx_a": f"How to knit [title] {AWKWARD[number % 8]} [step] Buy  wool.",
        "ctx_b": "then SHE" if number % 2 else "",
        "endings": [f"{AWKWARD[option]} [substeps] goes on  {option}. " for option in range(4)],
        "label": str(number % 4),
    }


def _piqa_row(number: int) -> dict[str, Any]:
    return {"goal": f"{number}{AWKWARD[number % 8]}", "sol1": AWKWARD[1], "sol2": AWKWARD[4], "label": number % 2}


def _winogrande_row(number: int) -> dict[str, Any]:
    sentence = "_ was kinder than Ana ." if number == 3 else f"Ana's {AWKWARD[5]} met Eva, so _  was glad {number}. "
    return {"sentence": sentence, "option1": "Ana", "option2": "it's Eva", "answer": str(number % 2 + 1)}


def _boolq_row(number: int) -> dict[str, Any]:
    return {"passage": f"{AWKWARD[number % 8]} passage", "question": f"is it {number}", "label": number % 2}


def _truthfulqa_row(number: int) -> dict[str, Any]:
    return {
        "question": f"{AWKWARD[number % 8]}?",
        "mc1_targets": {"choices": [*AWKWARD[: 3 + number % 2]], "labels": [1, 0, 0, 0][: 3 + number % 2]},
    }


# kind: its task file, lm-eval's name of the evaluated and of the shot split, our file names, its rows, our method
TASKS: Mapping[str, tuple[str, str, str, str, str, Callable[[int], dict[str, Any]], Method]] = {
    "arc-easy": ("arc/arc_easy", "test", "train", "ARC-Easy-Test", "ARC-Easy-Train", _labelled, "cloze"),
    "arc-challenge": (
        "arc/arc_challenge",
        "test",
        "train",
        "ARC-Challenge-Test",
        "ARC-Challenge-Train",
        lambda number: _labelled(number, 3 + number % 3, "12345"),
        "cloze",
    ),
    "hellaswag": (
        "hellaswag/hellaswag",
        "validation",
        "train",
        "hellaswag_val",
        "hellaswag_train",
        _hellaswag_row,
        "cloze",
    ),
    "piqa": ("piqa/piqa", "validation", "train", "valid", "train", _piqa_row, "cloze"),
    "winogrande": ("winogrande/default", "validation", "train", "dev", "train_xl", _winogrande_row, "cloze"),
    "openbookqa": ("openbookqa/openbookqa", "test", "train", "test", "train", _openbookqa_row, "cloze"),
    "boolq": ("super_glue/boolq/default", "validation", "train", "val", "train", _boolq_row, "cloze"),
    "truthfulqa-mc1": ("truthfulqa/truthfulqa_mc1", "validation", "", "mc_task", "", _truthfulqa_row, "cloze"),
    "commonsense-qa": (
        "commonsense_qa/default",
        "validation",
        "train",
        "valid",
        "train",
        lambda number: _labelled(number, 5),
        "letter",
    ),
}


def _write(file: Path, rows: Rows) -> Path:
    if file.suffix == ".json":
        file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    else:
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def _lm_eval_requests(
    task_file: str, splits: Mapping[str, Rows], shots: int, folder: Path, **overrides: Any
) -> list[list[Request]]:
    """What lm-eval's current definition of the task asks: (context, continuation) of every option, by question."""
    pytest.importorskip("lm_eval", reason="lm-eval is not installed (pip install '.[lm-eval]')")
    import lm_eval.tasks
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    config = load_yaml(Path(lm_eval.tasks.__file__).parent / f"{task_file}.yaml")
    for name in ("tag", "group", "dataset_name"):
        config.pop(name, None)
    files = {split: str(_write(folder / f"lm-eval-{split}.jsonl", rows)) for split, rows in splits.items()}
    shown = {"sampler": "first_n"} | config.get("fewshot_config", {})
    config |= {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files, "cache_dir": str(folder / "cache")},
        "num_fewshot": shots,
        "fewshot_config": shown,
        **overrides,
    }
    for name in ("training_split", "validation_split", "test_split"):
        if config.get(name) not in splits:
            config[name] = None
    task = ConfigurableTask(config=config)
    task.build_all_requests()
    questions: dict[int, list[Request]] = {}
    for instance in task.instances:
        questions.setdefault(instance.doc_id, []).append(instance.args)
    return [questions[number] for number in sorted(questions)]


def _our_requests(prompts: list[ChoicePrompt]) -> list[list[Request]]:
    requests = []
    for prompt in prompts:
        n_options = len(prompt.continuations)
        contexts = prompt.contexts if len(prompt.contexts) > 1 else prompt.contexts * n_options
        assert len(contexts) == n_options == len(prompt.question.options)
        requests.append(
            [(prompt.prefix + context, text) for context, text in zip(contexts, prompt.continuations, strict=True)]
        )
    return requests


@pytest.mark.parametrize("shots", [0, 2])
@pytest.mark.parametrize("kind", TASKS)
def test_build_prompts_awkward_rows_equal_lm_eval(kind: str, shots: int, tmp_path: Path) -> None:
    task_file, evaluated, shot_split, our_file, our_shots, row, method = TASKS[kind]
    if shots and not shot_split:
        pytest.skip(f"{kind} is asked without shots")
    rows, shot_rows = [row(number) for number in range(9)], [row(number) for number in range(20, 25)]
    folder = tmp_path / "suite"
    folder.mkdir()
    _write(folder / f"{our_file}.{'json' if kind == 'truthfulqa-mc1' else 'jsonl'}", rows)
    splits = {evaluated: rows}
    if shot_split:
        splits[shot_split] = shot_rows
        _write(folder / f"{our_shots}.jsonl", shot_rows)
    suite = load_suite(kind, folder, shots=shots)
    ours = _our_requests(build_prompts(suite, suite.questions, shots=shots, method=method))
    assert ours == _lm_eval_requests(task_file, splits, shots, tmp_path)


@pytest.mark.parametrize("shots", [0, 5])
def test_build_prompts_mmlu_letter_equals_lm_eval(shots: int, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    splits = {"test": [_mmlu_row(number) for number in range(9)], "dev": [_mmlu_row(number) for number in range(5)]}
    folder = tmp_path / "high_school_us_history"
    folder.mkdir()
    for split, rows in splits.items():
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{split}-00000-of-00001.parquet")
    suite = load_suite("mmlu", tmp_path, shots=shots)
    ours = _our_requests(build_prompts(suite, suite.questions, shots=shots, method="letter"))
    assert ours == _lm_eval_requests("mmlu/default/mmlu_high_school_us_history", splits, shots, tmp_path)


def test_build_prompts_every_mmlu_subject_has_lm_evals_description(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed (pip install '.[lm-eval]')")
    import lm_eval.tasks
    from lm_eval.tasks._yaml_loader import load_yaml

    folder = Path(lm_eval.tasks.__file__).parent / "mmlu" / "default"
    tags = {"stem": "STEM", "humanities": "Humanities", "social_sciences": "Social sciences", "other": "Other"}
    for subject, category in MMLU_CATEGORIES.items():
        config = load_yaml(folder / f"mmlu_{subject}.yaml")
        question = ChoiceQuestion(f"{subject}/0", subject, category, "Q", ("a", "b", "c", "d"), 0)
        suite = Suite("mmlu", (question,), {}, 0.25, {})
        (prompt,) = build_prompts(suite, [question], shots=0, method="letter")
        assert prompt.prefix == config["description"]
        assert category == tags[config["tag"].removeprefix("mmlu_").removesuffix("_tasks")]


@pytest.mark.parametrize(
    ("kind", "folder", "shots"),
    [("arc-easy", "arc", 3), ("arc-challenge", "arc", 0), ("openbookqa", "openbookqa", 3), ("piqa", "piqa", 0)],
)
def test_build_prompts_real_rows_equal_lm_eval(
    kind: str, folder: str, shots: int, shared_data: Path, tmp_path: Path
) -> None:
    suite = load_suite(kind, shared_data / folder, shots=shots)
    questions = suite.questions[:200]

    def hub(question: ChoiceQuestion) -> dict[str, Any]:
        labels = list("ABCDE"[: len(question.options)])
        return {
            "question": question.question,
            "question_stem": question.question,
            "choices": {"text": list(question.options), "label": labels},
            "answerKey": labels[question.answer],
            "goal": question.question,
            "sol1": question.options[0],
            "sol2": question.options[1],
            "label": question.answer,
        }

    task_file, evaluated, shot_split, *_ = TASKS[kind]
    splits = {evaluated: [hub(question) for question in questions]}
    if shots:
        splits[shot_split] = [hub(question) for question in suite.shots[kind]]
    ours = _our_requests(build_prompts(suite, questions, shots=shots, method="cloze"))
    assert ours == _lm_eval_requests(task_file, splits, shots, tmp_path)


def test_build_prompts_real_mmlu_equals_lm_eval(mmlu_directory: Path, tmp_path: Path) -> None:
    suite = load_suite("mmlu", mmlu_directory, subjects=["philosophy"], shots=5)

    def hub(question: ChoiceQuestion) -> dict[str, Any]:
        return {"question": question.question, "choices": list(question.options), "answer": question.answer}

    splits = {
        "test": [hub(question) for question in suite.questions],
        "dev": [hub(question) for question in suite.shots["philosophy"]],
    }
    ours = _our_requests(build_prompts(suite, suite.questions, shots=5, method="letter"))
    assert ours == _lm_eval_requests("mmlu/default/mmlu_philosophy", splits, 5, tmp_path)


# The forms that are our own -------------------------------------------------------------------------------------

QUESTION = ChoiceQuestion("moral_disputes/0", "moral_disputes", "Humanities", " Why? ", ("so", "not"), 1)
SHOT = replace(QUESTION, id="moral_disputes/dev-0", question="When?", answer=0)


def _suite(name: str, question: ChoiceQuestion = QUESTION, shot: ChoiceQuestion = SHOT) -> Suite:
    return Suite(name, (question,), {question.subject: (shot,)}, 0.5, {})


def test_build_prompts_mmlu_cloze_asks_without_letters() -> None:
    (prompt,) = build_prompts(_suite("mmlu"), [QUESTION], shots=1, method="cloze")
    assert prompt.prefix == (
        "The following are questions (with answers) about moral disputes.\n\nQuestion: When?\nAnswer: so\n\n"
    )
    assert prompt.contexts == ("Question: Why?\nAnswer:",)
    assert prompt.continuations == (" so", " not")


def test_build_prompts_generate_shows_the_letter_prompt() -> None:
    for name in ("mmlu", "demo-pt", "piqa"):
        (letter,) = build_prompts(_suite(name), [QUESTION], shots=1, method="letter")
        (generate,) = build_prompts(_suite(name), [QUESTION], shots=1, method="generate")
        assert replace(generate, method="letter") == letter


def test_build_prompts_demo_in_portuguese_is_worded_in_portuguese() -> None:
    (prompt,) = build_prompts(_suite("demo-pt"), [QUESTION], shots=1, method="letter")
    assert prompt.prefix.startswith("As questões a seguir são de múltipla escolha")
    assert prompt.contexts == ("Why?\nA. so\nB. not\nResposta:",)
    assert "Answer" not in prompt.prefix + prompt.contexts[0]


def test_build_prompts_enem_names_the_area() -> None:
    question = replace(QUESTION, subject="ciencias-natureza")
    (prompt,) = build_prompts(_suite("enem", question), [question], shots=0, method="letter")
    assert "ciências da natureza" in prompt.prefix
    assert prompt.contexts[0].endswith("\nResposta:")


def test_build_prompts_winogrande_letter_keeps_the_gap_and_lists_both() -> None:
    question = replace(QUESTION, question="Ana met Eva, so _ was glad.")
    (prompt,) = build_prompts(_suite("winogrande", question), [question], shots=0, method="letter")
    assert prompt.contexts == ("Question: Ana met Eva, so _ was glad.\nA. so\nB. not\nAnswer:",)


def test_build_prompts_truthfulqa_letters_are_not_always_a() -> None:
    questions = [
        ChoiceQuestion(f"truthfulqa-mc1/{n}", "truthfulqa-mc1", "truthfulqa-mc1", "Q?", ("r", "w", "x", "y"), 0)
        for n in range(400)
    ]
    suite = Suite("truthfulqa-mc1", tuple(questions), {}, 0.25, {})
    prompts = build_prompts(suite, questions, shots=0, method="letter")
    counts = [sum(prompt.question.answer == place for prompt in prompts) for place in range(4)]
    assert min(counts) > 70  # 100 expected in each place, standard deviation 8.7
    assert all(prompt.question.options[prompt.question.answer] == "r" for prompt in prompts)
    assert prompts == build_prompts(suite, questions, shots=0, method="letter")
    assert all(prompt.question.answer == 0 for prompt in build_prompts(suite, questions, shots=0, method="cloze"))


def test_build_prompts_truthfulqa_with_shots_is_refused() -> None:
    with pytest.raises(PromptError, match="its own examples"):
        build_prompts(_suite("truthfulqa-mc1"), [QUESTION], shots=1, method="cloze")


def test_build_prompts_more_shots_than_rows_names_the_subject() -> None:
    with pytest.raises(PromptError, match="subject moral_disputes: 2 shots asked, 1 development rows"):
        build_prompts(_suite("mmlu"), [QUESTION], shots=2, method="letter")


def test_build_prompts_shots_are_never_the_question_asked() -> None:
    (prompt,) = build_prompts(_suite("mmlu"), [QUESTION], shots=1, method="letter")
    assert "When?" in prompt.prefix
    assert "Why?" not in prompt.prefix


def test_build_prompts_too_many_options_for_letters_names_the_question() -> None:
    question = replace(QUESTION, options=tuple(f"option {n}" for n in range(27)))
    with pytest.raises(PromptError, match="moral_disputes/0"):
        build_prompts(_suite("mmlu", question), [question], shots=0, method="letter")
