"""A variant as a GGUF file, by the file of its base: names, tokenizer and layout are the base's, the update is added.

A weight's place in the file and the order of its rows differ between architectures. Nothing about either is assumed:
a changed weight must be found in the base's file, as it is or with the rows of each head interleaved (as llama.cpp
keeps queries and keys of Llama), or the export is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from paretune.errors import ModelError
from paretune.models.adapters import on_base
from paretune.models.export import check_mergeable, named_updates
from paretune.models.load import LoadedModel

_ROUNDING = 2.0**-7  # of a weight that was kept in bfloat16, relative, with room for one step
_OF_THE_READER = "GGUF."  # fields that describe the file itself
_REPLACED = ("general.architecture", "general.file_type", "general.quantization_version")

_Rows = Callable[[Any], Any]


def write_gguf(base: LoadedModel, adapter: Path, scale: float, file: Path, kind: str, target: Path) -> None:
    """Write the base's GGUF file again with the adapter's update added, its matrices in the type `kind`.

    file: the base's. kind: a type of gguf in lower case, such as q8_0. Matrices whose rows do not divide into blocks
    are kept in float16, everything else as it is. Raises ModelError where a changed weight is not found in the file.
    """
    import gguf
    import torch

    check_mergeable(base, adapter)
    reader = gguf.GGUFReader(str(file))
    architecture = str(reader.fields["general.architecture"].contents())
    places = {tensor.name: tensor for tensor in reader.tensors}
    with on_base(base, adapter, scale) as tuned:
        changes = {
            name: (weight.to(torch.float32).cpu().numpy(), update.cpu().numpy())
            for name, weight, update in named_updates(tuned, base.model)
        }
    updates = dict(_placed(changes, places, architecture, base.model.config, str(file)))
    writer = gguf.GGUFWriter(str(target), architecture)
    _copy_fields(reader, writer)
    wanted = gguf.GGMLQuantizationType[kind.upper()]
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind.upper()}" if kind != "f32" else "ALL_F32"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        if tensor.name in updates:
            values = values + updates[tensor.name]
        stored = _stored_as(values, tensor, wanted)
        writer.add_tensor(tensor.name, gguf.quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _stored_as(values: Any, tensor: Any, wanted: Any) -> Any:
    import gguf

    kinds = gguf.GGMLQuantizationType
    if values.ndim < 2:  # norms and biases stay exact
        return kinds.F32
    return wanted if values.shape[-1] % gguf.GGML_QUANT_SIZES[wanted][0] == 0 else kinds.F16


def _copy_fields(reader: Any, writer: Any) -> None:
    import gguf

    for name, field in reader.fields.items():
        if name.startswith(_OF_THE_READER) or name in _REPLACED:
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, inner)


def _placed(
    changes: dict[str, tuple[Any, Any]], places: dict[str, Any], architecture: str, config: Any, file: str
) -> list[tuple[str, Any]]:
    """Each changed tensor's name in the file, and its update with the rows in the file's order."""
    import gguf

    model = next((key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture), None)
    if model is None:
        raise ModelError(f"{file}: this version of gguf does not know the architecture {architecture!r}; update it")
    names = gguf.get_tensor_name_map(model, config.get_text_config().num_hidden_layers)
    placed = []
    for name, (weight, update) in changes.items():
        found = names.get_name(name, try_suffixes=(".weight",))
        tensor = places.get(found) if found else None
        if tensor is None:
            raise ModelError(f"{file}: no tensor for {name}; the adapter changes a weight that the file does not name")
        stored = gguf.dequantize(tensor.data, tensor.tensor_type)
        placed.append((tensor.name, _order(weight, stored, config, f"{file}: {tensor.name}")(update)))
    return placed


def _order(weight: Any, stored: Any, config: Any, where: str) -> _Rows:
    """How the rows of a weight come to the order of the stored matrix."""
    text = config.get_text_config()
    heads = {text.num_attention_heads, getattr(text, "num_key_value_heads", None) or text.num_attention_heads}
    orders: list[_Rows] = [np.asarray]
    orders += [partial(_interleaved, heads=n) for n in sorted(heads) if weight.shape[0] % (2 * n) == 0]
    for order in orders:
        if weight.shape == stored.shape and np.allclose(order(weight), stored, rtol=_ROUNDING, atol=1e-6):
            return order
    raise ModelError(
        f"{where}: other values than the base model's, in any known order of rows; is it this model's file?"
    )


def _interleaved(rows: Any, heads: int) -> Any:
    """The two halves of each head's rows, one row of each in turn.

    >>> _interleaved(np.arange(8).reshape(8, 1), 2).ravel().tolist()
    [0, 2, 1, 3, 4, 6, 5, 7]
    """
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
