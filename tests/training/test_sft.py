from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from paretune.errors import TrainingError
from paretune.models.adapters import on_base
from paretune.run.jsonl import read_lines
from paretune.training import trainer
from paretune.training.methods.lora import LoraSettings
from paretune.training.sft import is_trained, total_steps, train_adapter
from tests.tiny_models import tiny_model
from tests.training.tiny_training import CONFIG, EOS_ID, PLAIN, answer_loss, assert_same, loaded, rows, train, weights


def test_training_lowers_the_loss_on_answers(whole: Path) -> None:
    base = loaded()
    before = answer_loss(base.model)
    with on_base(base, whole / "adapter") as model:
        after = answer_loss(model)
    assert after < 0.9 * before


def test_training_leaves_the_base_as_it_was(tmp_path: Path) -> None:
    base = train(tmp_path, replace(CONFIG, epochs=0.5))
    fresh = tiny_model("qwen2")
    assert type(base.model) is type(fresh)
    assert not base.model.training
    assert base.model.config.use_cache
    for (name, own), (other_name, other) in zip(base.model.named_parameters(), fresh.named_parameters(), strict=True):
        assert name == other_name
        assert bool((own == other).all())


def test_training_folder_holds_what_the_design_says(whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == ["adapter", "checkpoints", "training.jsonl"]
    names = sorted(path.name for path in (whole / "adapter").iterdir())
    assert names == ["adapter_config.json", "adapter_model.safetensors", "paretune.json"]
    origin = json.loads((whole / "adapter" / "paretune.json").read_text(encoding="utf-8"))
    assert origin["base_weights"] == "weights-1"
    assert origin["fingerprint"] == "f"
    assert origin["progress"]["step"] == 12
    assert origin["progress"]["tokens"] == 2 * sum(len(row.tokens) for row in rows())
    config = json.loads((whole / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (4, 8.0, "tiny")
    assert is_trained(whole, "f")
    assert not is_trained(whole, "g")
    assert not is_trained(whole / "absent", "f")


def test_training_is_the_same_whatever_was_drawn_before(whole: Path, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(1234)
    random.seed(99)
    torch.rand(7)
    train(tmp_path)
    assert_same(weights(tmp_path), weights(whole))


def test_training_of_another_seed_differs(whole: Path, tmp_path: Path) -> None:
    train(tmp_path, replace(CONFIG, seed=7))
    first, other = weights(whole), weights(tmp_path)
    assert max(float((first[key] - other[key]).abs().max()) for key in first) > 1e-3


def test_log_has_every_logging_step_once(whole: Path) -> None:
    header, records = read_lines(whole / "training.jsonl")
    assert header["fingerprint"] == "f"
    assert header["config"]["rank"] == 4
    assert [record["step"] for record in records] == [2, 4, 6, 8, 10, 12]
    assert all(record["loss"] > 0 and record["gradient_norm"] > 0 for record in records)
    assert max(record["learning_rate"] for record in records) <= 0.01
    assert [record["tokens"] for record in records] == sorted(record["tokens"] for record in records)
    assert records[-1]["skipped"] == 0


def test_checkpoints_are_adapters_of_their_own(whole: Path) -> None:
    names = sorted(path.name for path in (whole / "checkpoints").glob("checkpoint-*"))
    assert names == ["checkpoint-12", "checkpoint-3", "checkpoint-6", "checkpoint-9"]
    base = loaded()
    with on_base(base, whole / "checkpoints" / "checkpoint-3") as model:
        early = answer_loss(model)
    with on_base(base, whole / "adapter") as model:
        assert answer_loss(model) < early
    assert not list((whole / "checkpoints").rglob("optimizer.pt"))
    assert_same(weights(whole), weights(whole / "checkpoints", "checkpoint-12"))


@pytest.mark.parametrize("count", [1, 2, 5, 21, 24])
@pytest.mark.parametrize(("batch", "accumulation"), [(1, 1), (2, 3), (4, 2), (8, 8)])
@pytest.mark.parametrize("epochs", [0.4, 1.0, 1.5, 3.0])
def test_total_steps_are_the_trainers(count: int, batch: int, accumulation: int, epochs: float) -> None:
    from transformers import Trainer, TrainingArguments

    config = replace(CONFIG, batch_size=batch, accumulation_steps=accumulation, epochs=epochs)
    arguments = TrainingArguments(
        output_dir="unused", per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation,
        num_train_epochs=epochs, use_cpu=True, report_to="none",
    )  # fmt: skip
    trainer = Trainer(model=_model(), args=arguments, train_dataset=[{"input_ids": [1]}] * count)
    found = trainer.set_initial_training_values(arguments, trainer.get_train_dataloader())
    assert total_steps(count, config) == found[-1]


def _model() -> Any:
    import torch

    return torch.nn.Linear(1, 1)


def test_total_steps_are_those_announced(tmp_path: Path) -> None:
    announced: set[int] = set()
    config = replace(CONFIG, epochs=1.5)
    train(tmp_path, config, on_step=lambda step, steps: announced.add(steps))
    assert announced == {total_steps(len(rows()), config)}


def test_loss_is_on_answer_tokens_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, seen = trainer.answer_loss, []

    def loss_and_look(model: Any, inputs: Any, answer_tokens: Any = None) -> Any:
        for tokens, mask, labels in zip(
            inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), inputs["labels"].tolist(), strict=True
        ):
            length = sum(mask)
            assert labels[length:] == [-100] * (len(labels) - length)
            answer = [label for label in labels if label != -100]
            assert labels[length - len(answer) : length] == answer
            seen.append((tuple(tokens[:length]), tuple(answer)))
        return plain(model, inputs, answer_tokens)

    monkeypatch.setattr(trainer, "answer_loss", loss_and_look)
    base = loaded()
    base.tokenizer.pad_token = base.tokenizer.eos_token  # the trap: the end token must be learned all the same
    train(tmp_path, replace(CONFIG, epochs=1.0), base=base)
    assert sorted(seen) == sorted((row.tokens, (50, 51, 52, EOS_ID)) for row in rows())


def test_prompt_tokens_do_not_change_the_logged_loss(tmp_path: Path) -> None:
    """The first logged loss is the mean over answer tokens of the first batch, computed here by hand."""
    config = replace(PLAIN, epochs=1.0, batch_size=21, accumulation_steps=1, logging_steps=1)
    train(tmp_path, config)
    assert read_lines(tmp_path / "training.jsonl")[1][0]["loss"] == pytest.approx(
        answer_loss(tiny_model("qwen2")), abs=1e-3
    )


def plant_nan(monkeypatch: pytest.MonkeyPatch, calls: set[int]) -> None:
    """Make the loss of those batches (0-based, in order) not a number."""
    plain, count = trainer.answer_loss, iter(range(10_000))

    def compute_loss(*args: Any) -> Any:
        loss = plain(*args)
        return loss * math.nan if next(count) in calls else loss

    monkeypatch.setattr(trainer, "answer_loss", compute_loss)


def test_step_not_finite_is_skipped_counted_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_nan(monkeypatch, {4, 11, 12})  # steps 3 (one of its two batches) and 7 (both)
    base = train(tmp_path)
    records = read_lines(tmp_path / "training.jsonl")[1]
    assert [record["skipped"] for record in records] == [0, 1, 1, 2, 2, 2]
    assert [record["loss"] is None for record in records] == [False, True, False, True, False, False]
    assert all(0 < record["loss"] < 20 for record in records if record["loss"] is not None)
    assert all(bool(value.isfinite().all()) for value in weights(tmp_path).values())
    with on_base(base, tmp_path / "adapter") as model:
        assert answer_loss(model) < 0.9 * answer_loss(tiny_model("qwen2"))
    origin = json.loads((tmp_path / "adapter" / "paretune.json").read_text(encoding="utf-8"))
    assert origin["progress"]["skipped_steps"] == 2


def test_step_skipped_changes_no_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(CONFIG, epochs=2.0, batch_size=21, accumulation_steps=1, checkpoint_steps=1)
    plant_nan(monkeypatch, {0})
    train(tmp_path, config)
    untouched = weights(tmp_path / "checkpoints", "checkpoint-1")
    assert all(not value.any() for key, value in untouched.items() if "lora_B" in key)


def test_training_of_skipped_steps_only_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_nan(monkeypatch, {0})
    with pytest.raises(TrainingError, match="nothing was trained: after the last step the adapter changes"):
        train(tmp_path, replace(CONFIG, epochs=1.0, batch_size=21, accumulation_steps=1))
    assert not (tmp_path / "adapter").exists()


def test_steps_not_finite_three_in_a_row_stop_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_nan(monkeypatch, {4, 6, 8})
    base = loaded()
    with pytest.raises(TrainingError, match="step 5: loss or gradient not finite for 3 steps in a row; lower peak"):
        train(tmp_path, base=base)
    assert not (tmp_path / "adapter").exists()
    assert not [name for name, _ in base.model.named_parameters() if "lora" in name]


def test_steps_not_finite_but_apart_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_nan(monkeypatch, {0, 2, 6, 8})
    train(tmp_path)
    assert read_lines(tmp_path / "training.jsonl")[1][-1]["skipped"] == 4


def test_memory_exhausted_says_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA out of memory. Tried to allocate")

    monkeypatch.setattr(trainer, "answer_loss", fail)
    with pytest.raises(TrainingError, match=r"out of memory; lower batch_size"):
        train(tmp_path)


def test_rows_none_or_too_long_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training rows"):
        train_adapter(loaded(), [], CONFIG, tmp_path, "f", lambda *_: None)
    with pytest.raises(TrainingError, match="longer than max_tokens = 8; leave it out"):
        train(tmp_path, replace(CONFIG, max_tokens=8))
    assert list(tmp_path.iterdir()) == []


def test_modules_that_the_model_has_not_are_refused(tmp_path: Path) -> None:
    base = loaded()
    with pytest.raises(TrainingError, match="the training cannot be set up"):
        train(tmp_path, replace(CONFIG, settings=LoraSettings(target_modules=("c_attn",))), base=base)
    assert not [name for name, _ in base.model.named_parameters() if "lora" in name]
    train(tmp_path, replace(CONFIG, epochs=0.2, settings=LoraSettings(target_modules=("q_proj", "v_proj"))), base=base)
    assert {key.split(".")[-3] for key in weights(tmp_path)} == {"q_proj", "v_proj"}


@pytest.mark.parametrize("kind", ["qwen2", "gemma2"])
@pytest.mark.parametrize("answer_tokens", [None, 40])
def test_loss_of_answers_is_that_of_trl(kind: Literal["qwen2", "gemma2"], answer_tokens: int | None) -> None:
    import torch
    from trl.trainer.utils import add_fused_lm_head

    model = tiny_model(kind)
    ids = torch.randint(5, 300, (3, 12), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    for row, (first, last) in enumerate([(4, 7), (9, 12), (2, 3)]):  # prompts and padding have no label
        labels[row, :first] = -100
        labels[row, last:] = -100
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    ours = trainer.answer_loss(model, inputs, answer_tokens)
    ours.backward()
    gradients = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    add_fused_lm_head(model)
    theirs = model(**inputs, num_items_in_batch=answer_tokens, fused_lm_head=True).loss
    theirs.backward()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    for name, weight in model.named_parameters():
        assert float((gradients[name] - weight.grad).abs().max()) < 1e-5, name


def test_training_of_one_step_changes_the_adapter(tmp_path: Path) -> None:
    train(tmp_path, replace(CONFIG, epochs=1.0, batch_size=21, accumulation_steps=1, warmup_share=0.03))
    assert any(float(value.abs().max()) > 0 for name, value in weights(tmp_path).items() if "lora_B" in name)


def test_adapter_configuration_names_modules_in_order(tmp_path: Path) -> None:
    train(tmp_path, replace(CONFIG, epochs=0.1))
    for file in [tmp_path / "adapter", *tmp_path.glob("checkpoints/checkpoint-*")]:
        modules = json.loads((file / "adapter_config.json").read_text(encoding="utf-8"))["target_modules"]
        assert len(modules) > 3
        assert modules == sorted(modules)


def test_training_with_checkpointing_gives_the_base_back_without_it(tmp_path: Path) -> None:
    base = loaded()
    train(tmp_path, replace(CONFIG, epochs=0.5, gradient_checkpointing=True), base=base)
    assert not base.model.is_gradient_checkpointing
    assert not base.model.get_input_embeddings()._forward_hooks
    assert "forward" not in base.model.__dict__


def test_checkpoints_hold_no_model_card(whole: Path) -> None:
    assert not list(whole.rglob("README.md"))


@pytest.mark.parametrize("room", [2_000, 40_000])
def test_disk_full_is_one_line_and_leaves_the_last_checkpoint_whole(whole: Path, tmp_path: Path, room: int) -> None:
    """Files may not grow beyond `room` bytes from step 5 on: the checkpoint of step 6 cannot be written."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(step: int, steps: int) -> None:
        if step == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))

    try:
        with pytest.raises(TrainingError, match=r"checkpoint-6: cannot be written \(.*\); checkpoints written before"):
            train(tmp_path, on_step=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (tmp_path / "checkpoints").glob("checkpoint-*")] == ["checkpoint-3"]
    taken: list[int] = []
    train(tmp_path, on_step=lambda step, steps: taken.append(step))
    assert taken[0] == 4
    assert_same(weights(tmp_path), weights(whole))


def test_training_that_ends_worse_than_a_guess_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    config = replace(CONFIG, epochs=1.0, peak_learning_rate=1.0, max_gradient_norm=1e6)
    train_adapter(loaded(), rows(), config, tmp_path, "f", lambda *_: None, said.append)
    assert any("is above that of a uniform guess among the tokens, 5.77: the model is worse" in line for line in said)
