"""Every training objective: its formula, shared and whole rows, fused and plain layers, resumed trainings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from paretune.config import TrainingConfig
from paretune.errors import TrainingError
from paretune.methods import METHODS, find_method
from paretune.models.adapters import on_base
from paretune.models.load import LoadedModel
from paretune.objectives import OBJECTIVES, TokenScores, find_objective
from paretune.run.jsonl import read_lines
from paretune.training.batches import COMPARED, NO_LABEL, TrainingRow, WholeRowsCollator
from paretune.training.probabilities import answer_probabilities
from paretune.training.sft import train_adapter
from paretune.training.shared_attention import attending_by_layout, shared_of
from paretune.training.shared_prompts import SharedPromptCollator
from paretune.training.trainer import Computation, token_scores
from tests.tiny_models import Architecture, add_tiny_adapter, tiny_model
from tests.training.test_shared_training import SHARED, rows_of_databases
from tests.training.tiny_training import EOS_ID, PLAIN, Killed, assert_same, loaded, weights

OWN: dict[str, dict[str, Any]] = {
    "sft": {},
    "dft": {},
    "masked": {"least_probability": 0.002},
    "kl": {"kl_weight": 0.5, "kl_texts": "none"},
}
WITH_LOSS = ("dft", "kl")
# Between two ways to compute a training: Adam makes whole steps of gradients that are nearly 0, as some of kl's are.
WITHIN = {"sft": 2e-5, "dft": 2e-5, "masked": 2e-5, "kl": 5e-4}
REPLAYED = [TrainingRow((3, 4, 90 + number, 91, 92, 93, 60, 61, EOS_ID), 3, "replay") for number in range(3)]
TEXTS = [TrainingRow(tuple(range(100 + number, 112 + number)), 11, "text") for number in range(4)]


def config_of(name: str, config: TrainingConfig = PLAIN, **changes: Any) -> TrainingConfig:
    settings = find_objective(name).settings(**OWN[name])
    return replace(config, objective=name, objective_settings=settings, **changes)


def rows_for(name: str) -> list[TrainingRow]:
    """Rows of a target, replay among them, and texts where the objective compares."""
    return [*rows_of_databases(), *REPLAYED, *(TEXTS if name == "kl" else [])]


def train(folder: Path, config: TrainingConfig, base: LoadedModel | None = None, on_step: Any = None,
          rows: Sequence[TrainingRow] | None = None) -> list[str]:  # fmt: skip
    """Train; returns what was said."""
    said: list[str] = []
    given = rows_for(config.objective) if rows is None else rows
    train_adapter(base or loaded(), given, config, folder, "f", on_step or (lambda *_: None), said.append)
    return said


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of a finished training on shared prompts with fused layers, by objective."""
    folders: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            train(folders[name], config_of(name, SHARED))
        return folders[name]

    return folder_of


def test_objectives_tried_here_are_all_there_are() -> None:
    assert set(OWN) == set(OBJECTIVES)
    assert {name for name in OBJECTIVES if find_objective(name).loss is not None} == set(WITH_LOSS)


def scores_of(labels: list[int], seed: int = 0, *, alike: bool = False) -> TokenScores:
    made = torch.Generator().manual_seed(seed)
    logits, base = (torch.randn(len(labels), 7, generator=made, dtype=torch.float64) for _ in range(2))
    learnt, compared = sum(label >= 0 for label in labels), sum(label != NO_LABEL for label in labels)
    logits.requires_grad_(True)
    return TokenScores(logits, torch.tensor(labels), logits.detach() if alike else base, learnt, compared)


def test_dft_loss_is_each_tokens_times_its_probability_without_its_gradient() -> None:
    scores = scores_of([3, NO_LABEL, 5])
    loss: Any = find_objective("dft").loss
    loss(find_objective("dft").settings(), scores).backward()
    probabilities = scores.logits.detach().softmax(dim=1)
    expected = torch.zeros_like(probabilities)
    for place, label in ((0, 3), (2, 5)):
        share = probabilities[place, label]
        expected[place] = share * (probabilities[place] - torch.nn.functional.one_hot(torch.tensor(label), 7)) / 2
    assert torch.allclose(scores.logits.grad, expected)


def test_kl_loss_is_the_likelihoods_and_the_divergence_from_the_base() -> None:
    scores = scores_of([3, NO_LABEL, COMPARED, 5])
    objective: Any = find_objective("kl")
    loss = objective.loss(objective.settings(kl_weight=2.0), scores).item()
    assert scores.base_logits is not None
    tuned, base = scores.logits.detach().softmax(dim=1), scores.base_logits.softmax(dim=1)
    likelihood = -(math.log(tuned[0, 3]) + math.log(tuned[3, 5])) / 2
    divergences = [sum(float(b) * math.log(b / t) for b, t in zip(base[place], tuned[place], strict=True))
                   for place in (0, 2, 3)]  # fmt: skip
    assert loss == pytest.approx(likelihood + 2.0 * sum(divergences) / 3, rel=1e-6)


def test_kl_of_a_model_that_is_the_base_adds_nothing() -> None:
    objective: Any = find_objective("kl")
    scores = scores_of([COMPARED, COMPARED], alike=True)
    loss = objective.loss(objective.settings(), replace(scores, learnt=1))
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-12)
    assert float(scores.logits.grad.abs().max()) < 1e-12


@pytest.mark.parametrize("kind", ["qwen2", "llama", "gemma3"])
@pytest.mark.parametrize("name", WITH_LOSS)
@pytest.mark.parametrize("limit", [400, 60])
def test_objective_on_shared_prompts_has_loss_and_gradients_of_whole_rows(
    name: str, kind: Architecture, limit: int
) -> None:
    objective: Any = find_objective(name)
    settings = config_of(name).objective_settings
    wide: dict[str, Any] = {"sliding_window": 512} if kind == "gemma3" else {}
    model = add_tiny_adapter(tiny_model(kind, **wide))
    for weight in model.parameters():
        weight.requires_grad_(True)
    examples = [{"input_ids": list(row.tokens), "labels": list(row.labels)} for row in rows_for(name)]
    found = []
    for shares, batch in (
        (True, SharedPromptCollator(limit)(examples)),
        (False, WholeRowsCollator(9, 0, 512)(examples)),
    ):
        assert len(batch["layouts"]) > 1 or limit == 400
        losses = []
        for part in batch["layouts"]:
            shared = shared_of(part, by_kernel=False) if shares else None
            with attending_by_layout(model) if shares else torch.enable_grad():
                with torch.no_grad(), model.disable_adapter():
                    base = token_scores(model, part, shared)[0]
                logits, labels = token_scores(model, part, shared)
                scores = TokenScores(logits, labels, base, batch["answer_tokens"], batch["compared_tokens"])
                losses.append(objective.loss(settings, scores))
        total = sum(losses[1:], losses[0])
        total.backward()
        gradients = {key: weight.grad.clone() for key, weight in model.named_parameters() if weight.grad is not None}
        model.zero_grad()
        found.append((total.item(), gradients))
    (loss, mine), (expected_loss, expected) = found
    assert loss == pytest.approx(expected_loss, abs=1e-6 * max(1.0, expected_loss))
    assert mine.keys() == expected.keys()
    for key, gradient in expected.items():
        assert float((mine[key] - gradient).norm()) <= 1e-4 * float(gradient.norm()), key


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("changed", [{"fuse_adapters": False}, {"batch_size": 1, "accumulation_steps": 4},
                                     {"gradient_checkpointing": True}])  # fmt: skip
def test_objective_computed_by_other_means_trains_the_same(
    name: str, changed: dict[str, Any], trained: Any, tmp_path: Path
) -> None:
    train(tmp_path, config_of(name, SHARED, **changed))
    assert_same(weights(tmp_path), weights(trained(name)), within=WITHIN[name])


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("changed", [{"fuse_adapters": False}, {"batch_size": 1, "accumulation_steps": 4}])
def test_objective_on_whole_rows_trains_as_on_shared_prompts(
    name: str, changed: dict[str, Any], trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paretune.training import shared_attention

    monkeypatch.setattr(shared_attention, "why_not_shared", lambda *_: "a test wants it so")
    train(tmp_path, config_of(name, SHARED, **changed))
    assert_same(weights(tmp_path), weights(trained(name)), within=WITHIN[name])
    logs = [read_lines(folder / "training.jsonl")[1] for folder in (tmp_path, trained(name))]
    for plain, other in zip(*logs, strict=True):
        assert plain["loss"] == pytest.approx(other["loss"], rel=5e-4)
        assert plain["tokens"] == other["tokens"]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objective_killed_and_resumed_gives_the_same_adapter(name: str, trained: Any, tmp_path: Path) -> None:
    def kill(step: int, steps: int) -> None:
        if step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path, config_of(name, SHARED), on_step=kill)
    train(tmp_path, config_of(name, SHARED))
    adapters = [(folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (tmp_path, trained(name))]
    assert adapters[0] == adapters[1]


def likelihood(model: Any) -> float:
    """Mean log-likelihood of the answer tokens. The loss says nothing of it: dft's rises while tokens get likely."""
    found = answer_probabilities(model, rows_of_databases(), Computation(False, False, False, False, 512), 9)
    values = [math.log(value) for row in found for value in row]
    return sum(values) / len(values)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_objective_learns_in_16_bits(name: str, precision: str, tmp_path: Path) -> None:
    base = loaded()
    base.model.to(getattr(torch, precision))
    base = replace(base, precision=precision)
    rows = [row for row in rows_for(name) if row.part != "replay"]
    before = likelihood(base.model)
    train(tmp_path, config_of(name, SHARED, epochs=6.0), base, rows=rows)
    with on_base(base, tmp_path / "adapter") as model:
        assert likelihood(model) > before + 1.0


@pytest.mark.parametrize("name", [name for name in METHODS if not find_method(name).moves_base])
def test_kl_compares_with_the_base_under_every_method_that_leaves_it(name: str, tmp_path: Path) -> None:
    """Its first step has no divergence, so that it logs the loss of plain fine-tuning; later ones have."""
    own = {"oft": {"block_size": 16}, "shira": {"rank": 4}}.get(name, {"rank": 4, "alpha": 8.0})
    method = {"method": name, "settings": find_method(name).settings(**own)}
    logged = []
    for objective in ("sft", "kl"):
        folder = tmp_path / objective
        config = config_of(objective, logging_steps=1, batch_size=21, accumulation_steps=1, epochs=3.0,
                           warmup_share=0.0, **method)  # fmt: skip
        train(folder, config, rows=rows_of_databases())
        logged.append([line["loss"] for line in read_lines(folder / "training.jsonl")[1]])
    assert logged[1][0] == pytest.approx(logged[0][0], abs=1e-5)
    assert logged[1][2] > logged[0][2] + 1e-3


def divergence(folder: Path) -> float:
    """Mean KL(base || tuned) over the texts."""
    base = loaded()
    tokens = torch.tensor([row.tokens for row in TEXTS])
    with torch.no_grad():
        before = base.model(tokens).logits.log_softmax(-1)
        with on_base(base, folder / "adapter") as model:
            after = model(tokens).logits.log_softmax(-1)
    return float((before.exp() * (before - after)).sum(-1).mean())


def test_kl_stays_closer_to_the_base_on_texts_than_plain_fine_tuning(tmp_path: Path) -> None:
    kl = replace(config_of("kl", SHARED), objective_settings=find_objective("kl").settings(kl_weight=5.0))
    train(tmp_path / "kl", kl, rows=[*rows_of_databases(), *TEXTS])
    train(tmp_path / "sft", config_of("sft", SHARED), rows=rows_of_databases())
    assert divergence(tmp_path / "kl") < 0.7 * divergence(tmp_path / "sft")


def test_masked_takes_the_loss_from_what_the_base_finds_unlikely(tmp_path: Path) -> None:
    base, rows = loaded(), rows_of_databases()
    whole = Computation(False, False, False, False, 512)
    found = [answer_probabilities(base.model, rows, computation, 4)
             for computation in (whole, replace(whole, shares=True))]  # fmt: skip
    for row, one, other in zip(rows, *found, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
        with torch.no_grad():
            probabilities = base.model(torch.tensor([row.tokens])).logits[0].softmax(-1)
        places = range(len(row.tokens) - row.answer_tokens, len(row.tokens))
        assert one == pytest.approx([float(probabilities[place - 1, row.tokens[place]]) for place in places], rel=1e-4)
    least = sorted(value for values in found[0] for value in values)[20]
    config = replace(config_of("masked"), objective_settings=find_objective("masked").settings(least))
    n_tokens = sum(row.answer_tokens for row in rows)
    (said,) = train(tmp_path, config, rows=rows)
    assert said.startswith(
        f"objective masked: 20 of {n_tokens} answer tokens ({100 * 20 / n_tokens:.1f} %) get no loss"
    )


def test_masked_with_every_token_masked_is_refused(tmp_path: Path) -> None:
    config = replace(config_of("masked"), objective_settings=find_objective("masked").settings(0.999))
    with pytest.raises(TrainingError, match=r"objective masked: nothing to train: all 93 answer tokens are masked"):
        train(tmp_path, config)


def test_mixed_rows_are_counted_in_the_header_of_the_log(trained: Any) -> None:
    header = read_lines(trained("kl") / "training.jsonl")[0]
    assert (header["replay_rows"], header["replay_tokens"]) == (3, 27)
    assert (header["text_rows"], header["text_tokens"]) == (4, 48)
