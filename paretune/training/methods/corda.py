"""CorDA, knowledge-preserved (Yang et al. 2024): LoRA that starts from what each weight uses least for given texts.

The texts stand for what must not be lost, such as questions of general knowledge with their answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.errors import TrainingError
from paretune.files import file_sha256
from paretune.methods import Method
from paretune.training.methods.lora import LoraSettings, adapted_layers, lora_config

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel

_MOST_TOKENS = 1024  # of one text; what goes beyond is cut


@dataclass(frozen=True, slots=True)
class CordaSettings(LoraSettings):
    """calibration: a text file, one text per line."""

    calibration: str = field(kw_only=True)


def _peft_config(settings: CordaSettings, base: LoadedModel, seed: int) -> Any:
    from peft.tuners.lora.config import CordaConfig
    from peft.tuners.lora.corda import preprocess_corda

    config = lora_config(settings, init_lora_weights="corda", corda_config=CordaConfig(corda_method="kpm"))
    config.target_modules = set(adapted_layers(base.model, settings.target_modules))
    texts = list(_texts(settings.calibration))

    def run_model() -> None:
        for text in texts:
            ids = base.tokenizer(text, return_tensors="pt").input_ids[:, :_MOST_TOKENS]
            base.model(ids.to(base.model.device), use_cache=False)

    preprocess_corda(base.model, config, run_model=run_model)
    return config


def _texts(file: str) -> Iterator[str]:
    """The lines that are not empty. Raises TrainingError where there is none."""
    try:
        lines = [line for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{file}: the texts of calibration cannot be read ({error})") from error
    if not lines:
        raise TrainingError(f"{file}: no texts; calibration expects a text file with one text per line")
    yield from lines


def _conditions(settings: CordaSettings) -> Mapping[str, Any]:
    return {**asdict(settings), "calibration": file_sha256(Path(settings.calibration))}


METHOD = Method(CordaSettings, _peft_config, low_rank=True, moves_base=True, conditions=_conditions)
