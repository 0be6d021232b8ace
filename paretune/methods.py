"""Training methods: what kind of adapter is put on the base model, by the name that stands under `method`.

Those of paretune are one file each in training/methods/. Those of other packages are entry points of the group
`paretune.methods`, each a `Method`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from paretune.plugins import Kind, Kinds

if TYPE_CHECKING:
    from paretune.models.load import LoadedModel

DEFAULT_METHOD = "lora"


@dataclass(frozen=True, slots=True)
class Method(Kind):
    """How the adapter of a training is made.

    settings: a frozen dataclass of the method's own keys in [training], checked by its annotations and bounds.
    peft_config: from these settings, the loaded base model and the training's seed to PEFT's configuration. Raises
    TrainingError where the model does not lend itself to it.
    low_rank: its layers compute W x + s B A x and no more, so that they may be trained fused with their projections.
    moves_base: it starts from a part of the base's weights, which PEFT takes out of them; the base is restored after
    the training, and the adapter is written as the difference to it. Not on quantised weights.
    conditions: what decides the adapter, for its fingerprint; the settings' values unless one of them names a file.
    """

    peft_config: Callable[[Any, LoadedModel, int], Any]
    low_rank: bool = False
    moves_base: bool = False
    conditions: Callable[[Any], Mapping[str, Any]] = asdict


_ROOM = "paretune.training.methods"
METHODS: Kinds[Method] = Kinds(
    "method",
    {
        "lora": f"{_ROOM}.lora:METHOD",
        "rslora": f"{_ROOM}.rslora:METHOD",
        "dora": f"{_ROOM}.dora:METHOD",
        "pissa": f"{_ROOM}.pissa:METHOD",
        "corda": f"{_ROOM}.corda:METHOD",
        "mlp-only": f"{_ROOM}.mlp_only:METHOD",
        "oft": f"{_ROOM}.oft:METHOD",
        "shira": f"{_ROOM}.shira:METHOD",
    },
)
find_method = METHODS.find
