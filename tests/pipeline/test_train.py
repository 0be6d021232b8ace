from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from paretune.config import ModelConfig, TrainingConfig, VariantConfig
from paretune.errors import TrainingError
from paretune.files import fingerprint
from paretune.pipeline import conditions
from paretune.pipeline import train as stage
from paretune.training.methods.corda import CordaSettings
from paretune.training.methods.lora import LoraSettings


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(conditions, "prepared_mark", lambda folder, name: "rows-1")
    model = ModelConfig(precision="float32")
    source = SimpleNamespace(weights="weights-1")
    return SimpleNamespace(folder=None, source=source, config=SimpleNamespace(model=model))


def mark(session: Any, **settings: Any) -> str:
    return conditions.training_fingerprint(session, VariantConfig("run-1", training=TrainingConfig(**settings)))


def test_training_fingerprint_tells_what_decides_an_adapter(session: Any) -> None:
    shared = mark(session, share_prompts=True)
    dora = {"method": "dora", "settings": LoraSettings()}
    marks = [mark(session), mark(session, settings=LoraSettings(rank=4)), mark(session, group_by_length=True), shared,
             mark(session, seed=1), mark(session, share_prompts=True, prompts_per_step=2),
             mark(session, fuse_adapters=True), mark(session, **dora)]  # fmt: skip
    assert len(set(marks)) == len(marks)
    assert mark(session, logging_steps=7) == mark(session, prompts_per_step=2) == marks[0]


def test_training_fingerprint_without_later_keys_is_that_from_before_them(session: Any) -> None:
    settings = TrainingConfig().as_dict()
    for key in ("logging_steps", "group_by_length", "share_prompts", "prompts_per_step", "fuse_adapters"):
        del settings[key]
    known = {"weights": "weights-1", "precision": "float32", "quantization": "none", "rows": "rows-1"}
    assert mark(session) == fingerprint({**known, "training": settings})


def test_train_rows_all_too_long_says_so_before_a_model_is_loaded(
    session: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stage, "prepared_lines", lambda session, name: ("rows-1", [{"tokens": 90}, {"tokens": 70}]))
    session.folder = SimpleNamespace(path=tmp_path)
    variant = VariantConfig("run-1", training=TrainingConfig(max_tokens=64))
    with pytest.raises(TrainingError, match="all 2 training rows are longer than max_tokens = 64; the shortest has 70"):
        stage.train(session, variant)


def test_training_fingerprint_of_corda_holds_the_texts_not_their_place(session: Any, tmp_path: Path) -> None:
    marks = []
    for name, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        marks.append(mark(session, method="corda", settings=CordaSettings(calibration=str(tmp_path / name))))
    assert marks[0] == marks[1] != marks[2]
