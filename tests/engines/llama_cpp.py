"""llama.cpp's own server over a tiny model: its files written here, its program from the package xllamacpp.

python -m tests.engines.llama_cpp MODEL.gguf PORT [ADAPTER.gguf ...]
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf

_SECONDS_TO_START = 120.0
_NAMES = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, 2)


def write_model(model: Any, tokenizer: Any, file: Path) -> Path:
    """A tiny Qwen2 with a byte-level tokenizer, in float32."""
    config, writer = model.config, gguf.GGUFWriter(str(file), "qwen2")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    _add_tokenizer(writer, tokenizer)
    for name, weight in model.state_dict().items():
        if name != "lm_head.weight":  # tied
            writer.add_tensor(_NAMES.get_name(name, try_suffixes=(".weight", ".bias")), weight.float().numpy())
    return _written(writer, file)


def write_adapter(tuned: Any, file: Path) -> Path:
    """The adapter of a PeftModel over it."""
    (settings,) = tuned.peft_config.values()
    writer = gguf.GGUFWriter(str(file), "qwen2")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, settings.lora_alpha)
    for name, weight in tuned.named_parameters():
        if ".lora_A." in name or ".lora_B." in name:
            layer, _, letter = name.removeprefix("base_model.model.").partition(".lora_")
            place = _NAMES.get_name(f"{layer}.weight", try_suffixes=(".weight",))
            writer.add_tensor(f"{place}.lora_{letter[0].lower()}", weight.detach().float().numpy())
    return _written(writer, file)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Any) -> None:
    import json

    kept = json.loads(tokenizer.backend_tokenizer.to_str())
    special = {entry["id"] for entry in kept["added_tokens"]}
    tokens = [token for token, _ in sorted(kept["model"]["vocab"].items(), key=lambda item: item[1])]
    kinds = gguf.TokenType
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.CONTROL if place in special else kinds.NORMAL for place in range(len(tokens))])
    writer.add_token_merges([" ".join(pair) for pair in kept["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)


def _written(writer: gguf.GGUFWriter, file: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@contextmanager
def running(model: Path, *adapters: Path) -> Iterator[str]:
    """Its address while it runs. Fails with its output where it does not start."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    log = model.with_suffix(".log")
    command = [sys.executable, "-m", "tests.engines.llama_cpp", str(model), str(port), *map(str, adapters)]
    with log.open("w", encoding="utf-8") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"llama.cpp's server did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def main(model: str, port: str, *adapters: str) -> None:
    """Serve until killed; keys and values are kept in float32, for answers equal to those of the same model here."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path, settings.port, settings.hostnames = model, int(port), ["127.0.0.1"]
    settings.n_ctx, settings.n_parallel, settings.warmup = 4096, 2, False
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    loras = []
    for path in adapters:
        lora = xllamacpp.CommonAdapterLoraInfo()
        lora.path, lora.scale = path, 1.0
        loras.append(lora)
    settings.lora_adapters, settings.lora_init_without_apply = loras, True
    server = xllamacpp.Server(settings)
    while server:
        time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
