"""A model by its configuration alone: its layers' sizes, and what weights and activations of them take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paretune.config import ModelConfig, TrainingConfig
from paretune.errors import ModelError
from paretune.models.source import find_configuration

# Of the models that the experiments of this repository name, for a machine that has neither files nor network: what
# their published config.json says, as transformers' configuration classes take it.
_PUBLISHED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "mistralai/Mistral-7B-Instruct-v0.2": ("mistral", {
        "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8}),
    "Qwen/Qwen2.5-Coder-0.5B-Instruct": ("qwen2", {
        "vocab_size": 151936, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
        "num_attention_heads": 14, "num_key_value_heads": 2, "tie_word_embeddings": True}),
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": ("qwen2", {
        "vocab_size": 151936, "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
        "num_attention_heads": 12, "num_key_value_heads": 2, "tie_word_embeddings": True}),
}  # fmt: skip
_NF4_BITS = 4.127  # with double quantisation: 4, and 8 / 64 + 32 / (64 * 256) for the scales (Dettmers et al. 2023)


@dataclass(frozen=True, slots=True)
class Shape:
    """config: transformers' own; linear: (inputs, outputs) of each linear layer inside the blocks, by name; others:
    numbers of all other weights, embeddings and the output among them."""

    config: Any
    linear: Mapping[str, tuple[int, int]]
    others: int

    @property
    def layers(self) -> int:
        """Blocks."""
        return int(self.config.num_hidden_layers)

    @property
    def hidden(self) -> int:
        """Width of the states between blocks."""
        return int(self.config.hidden_size)

    @property
    def vocabulary(self) -> int:
        """Tokens that may be predicted."""
        return int(self.config.vocab_size)

    @property
    def multiplied(self) -> int:
        """Weights that every token is multiplied with."""
        return sum(inputs * outputs for inputs, outputs in self.linear.values())

    def weight_bytes(self, precision: str, quantization: str) -> int:
        """Of the whole model in memory."""
        plain = 4 if precision == "float32" else 2
        bits = {"none": 8.0 * plain, "int8": 8.0, "nf4": _NF4_BITS}[quantization]
        return int(self.multiplied * bits / 8) + self.others * plain

    def cache_bytes(self, precision: str) -> int:
        """Keys and values of one token in all layers."""
        heads = int(getattr(self.config, "num_key_value_heads", None) or self.config.num_attention_heads)
        size = int(getattr(self.config, "head_dim", None) or self.hidden // self.config.num_attention_heads)
        return 2 * self.layers * heads * size * (4 if precision == "float32" else 2)

    def adapter_numbers(self, training: TrainingConfig) -> int:
        """Numbers that a training learns."""
        settings = training.settings
        modules = getattr(settings, "target_modules", ("all-linear",))
        if training.method == "mlp-only":
            chosen = [shape for name, shape in self.linear.items() if ".mlp." in name]
        elif modules == ("all-linear",):
            chosen = list(self.linear.values())
        else:
            chosen = [shape for name, shape in self.linear.items() if name.endswith(tuple(f".{m}" for m in modules))]
        block = getattr(settings, "block_size", None)
        if block is not None:
            return sum(inputs * (block - 1) // 2 for inputs, _ in chosen)
        return sum(getattr(settings, "rank", 16) * (inputs + outputs) for inputs, outputs in chosen)

    def activation_bytes(self, training: TrainingConfig, tokens: int, labels: int, precision: str) -> int:
        """What a step of so many tokens keeps for its gradients: 34 bytes per token, layer and hidden place in 16 bits
        (Korthikanti et al. 2022, equation 1, without the attention's squares), or 2 where layers are computed again;
        and three copies of the logits of its labels in 32 bits."""
        per_token = self.hidden * (2 * self.layers + 34 if training.gradient_checkpointing else 34 * self.layers)
        return tokens * per_token * (2 if precision == "float32" else 1) + labels * 12 * self.vocabulary


def shape_of(config: ModelConfig) -> Shape:
    """The shape of an experiment's model, from its config.json; no weight is read.

    Raises ModelError where that file cannot be had and the model is none of the published ones known here.
    """
    import torch
    import transformers

    try:
        directory, _ = find_configuration(config)
    except ModelError:
        if config.path not in _PUBLISHED:
            raise
        directory = None
    if directory is not None:
        found = transformers.AutoConfig.from_pretrained(directory)
    elif config.path in _PUBLISHED:
        kind, values = _PUBLISHED[config.path]
        found = transformers.AutoConfig.for_model(kind, **values)
    else:
        raise ModelError(f"model.path = {config.path}: not converted yet, so that its shape is not known; run "
                         "`paretune prepare` first")  # fmt: skip
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(found)
    output = model.get_output_embeddings()
    linear = {
        name: (module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not output
    }
    whole = sum(parameter.numel() for parameter in model.parameters())
    return Shape(found.get_text_config(), linear, whole - sum(one * other for one, other in linear.values()))
