"""Tiny random language models and byte-level tokenizers, made in memory: every architecture, no network, no weights.

The numbers are random; shapes, masks, caches, tied weights, soft caps and sliding windows are the real code's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

Architecture = Literal["llama", "smollm2", "mistral", "qwen2", "qwen3", "gemma2", "gemma3"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
SLIDING_WINDOW = 7  # shorter than any prompt worth testing

BOS, EOS, PAD = "<s>", "</s>", "<pad>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_TEXT = (
    "The following are multiple choice questions (with answers) about philosophy.",
    "Question: which one is right?\nA. the first\nB. the second\nC. the third\nD. the fourth\nAnswer: A\n\n",
    "SELECT name, count(*) FROM singer JOIN concert ON singer.id = concert.singer_id WHERE year > 2014 GROUP BY name",
    "CREATE TABLE concert (id INTEGER PRIMARY KEY, year INTEGER, singer_id INTEGER REFERENCES singer(id));",
    "A questão a seguir trata de conhecimentos gerais; assinale a alternativa correta.\nResposta: B\n\n",
)


def tiny_tokenizer(*, adds_bos: bool = False, bos_in_template: bool = False, n_tokens: int = 320) -> Any:
    """A fast byte-level BPE tokenizer trained on a few lines: any text can be encoded and decoded exactly.

    adds_bos: `<s>` is put before every encoded text (as Llama's and Gemma's tokenizers do). bos_in_template: the
    chat template writes `<s>` itself, the trap of two of them.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    split = r"'s|'t| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [BOS, EOS, PAD, "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=n_tokens, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    if adds_bos:
        bos_id = tokenizer.token_to_id(BOS)
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, bos_id)]
        )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=PAD)
    fast.chat_template = ("{{ bos_token }}" if bos_in_template else "") + CHAT_TEMPLATE
    return fast


def tiny_model(architecture: Architecture, *, seed: int = 0, attention: str | None = None, **overrides: Any) -> Any:
    """A random two-layer causal language model in float32 and eval mode, grouped queries, vocabulary of 320.

    Weights are larger than at a usual start, so that log-probabilities differ by whole units between tokens.
    attention: "sdpa" or "eager" (default: the library's). overrides: fields of the configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM

    settings = _settings(architecture) | overrides
    if attention is not None:
        settings["attn_implementation"] = attention
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(_configuration(architecture, settings), dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.25)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    model.generation_config.pad_token_id = 2
    return model.eval()


def add_tiny_adapter(model: Any, *, seed: int = 1, name: str = "default", targets: Any = "all-linear") -> Any:
    """The model with one more LoRA adapter whose effect is not nothing (B is random too); returns the PeftModel."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model

    config = LoraConfig(r=4, lora_alpha=8, target_modules=targets, task_type="CAUSAL_LM")
    if isinstance(model, PeftModel):
        model.add_adapter(name, config)
    else:
        model = get_peft_model(model, config, adapter_name=name)
    torch.manual_seed(seed)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if f".{name}." in key and "lora_" in key:
                parameter.normal_(0.0, 0.2)
    model.set_adapter(name)
    return model.eval()


def save_tiny_model(folder: Path, architecture: Architecture = "qwen2", *, seed: int = 0) -> Path:
    """Write a tiny model and its tokenizer as `from_pretrained` reads them; returns the folder."""
    tiny_model(architecture, seed=seed).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def _settings(architecture: Architecture) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
        "tie_word_embeddings": architecture in ("smollm2", "qwen2", "qwen3", "gemma2", "gemma3"),
    }
    if architecture in ("qwen3", "gemma2", "gemma3"):
        settings["head_dim"] = 8
    if architecture in ("mistral", "gemma2", "gemma3"):
        settings["sliding_window"] = SLIDING_WINDOW
    if architecture in ("gemma2", "gemma3"):
        settings |= {"num_hidden_layers": 4, "query_pre_attn_scalar": 8, "final_logit_softcapping": 5.0}
        settings["layer_types"] = ["sliding_attention", "full_attention"] * 2
    if architecture == "gemma2":
        settings["attn_logit_softcapping"] = 3.0
    return settings


def _configuration(architecture: Architecture, settings: dict[str, Any]) -> Any:
    import transformers

    names = {
        "llama": "LlamaConfig",
        "smollm2": "LlamaConfig",
        "mistral": "MistralConfig",
        "qwen2": "Qwen2Config",
        "qwen3": "Qwen3Config",
        "gemma2": "Gemma2Config",
        "gemma3": "Gemma3TextConfig",
    }
    return getattr(transformers, names[architecture])(**settings)
