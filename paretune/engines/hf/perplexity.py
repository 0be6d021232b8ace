"""How well does the model predict a raw text, in bits per byte?

The text is cut into windows that overlap by half; every token counts once, in the window where most of it stands
before it (at least half a window, except at the text's beginning). Bits per byte compare models with different
tokenizers, which perplexity per token does not. A rise on text that has nothing to do with the training task is the
most sensitive sign of drift. The first token is predicted after the BOS token, or the end token where there is no
BOS, as lm-eval-harness does, so that every byte of the text is paid for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from paretune.engines.hf.forward import ChoiceModel
from paretune.engines.perplexity import PerplexityResult, WindowScore
from paretune.errors import EmptySample, EngineError
from paretune.models.memory import DoesNotFit, halving

DEFAULT_WINDOW = 2048
_BUDGETS = {"cpu": 2048, "cuda": 16384}  # tokens per forward


Span = tuple[int, int, int]  # start, first token counted, end
Bits = Callable[[list[int], list[Span]], list[float]]


def measure_perplexity(
    model: Any,
    tokenizer: Any,
    text: str,
    *,
    window: int | None = None,
    token_budget: int | None = None,
    on_window: Callable[[WindowScore], None] = lambda score: None,
    fast: bool = True,
) -> PerplexityResult:
    """Score a text with the model as it stands (eval mode, the wanted adapter active).

    window: tokens per forward, at least 2 (default: 2048, or the model's context where that is less); the stride
    is half of it. fast: windows together, and only the outputs that are counted meet the vocabulary; else the model's
    own forward, window by window. Raises EmptySample for an empty text, EngineError when one window does not fit the
    memory.
    """
    seen = ChoiceModel(model)
    size = min(window or DEFAULT_WINDOW, seen.context_length)
    if size < 2:
        raise EngineError(f"a window of {size} tokens predicts nothing; give at least 2")
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    if not encoded["input_ids"]:
        raise EmptySample("the text is empty: it has no bits per byte")
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    tokens = [first, *encoded["input_ids"]]
    ends = _byte_ends(text, [start for start, _ in encoded["offset_mapping"]])
    stride = max(1, size // 2)
    spans = _spans(len(tokens), size, stride)
    budget = token_budget or _BUDGETS.get(seen.device.type, _BUDGETS["cpu"])
    read: Bits = partial(_bits, seen) if fast else partial(_plain, model)
    windows: list[WindowScore] = []
    while len(windows) < len(spans):
        chosen = spans[len(windows) : len(windows) + max(1, budget // size)]
        try:
            count, bits = halving(len(chosen), _reader(read, tokens, chosen))
        except DoesNotFit as error:
            message = f"a window of {size} tokens does not fit the memory; make it smaller (--window)"
            raise EngineError(message) from error
        if count < len(chosen):
            budget = count * size
        for (_, counted, end), cost in zip(chosen, bits, strict=False):
            windows.append(WindowScore(end - counted, ends[end - 1] - ends[counted - 1], cost))
            on_window(windows[-1])
    return PerplexityResult(size, stride, tuple(windows))


def _reader(read: Bits, tokens: list[int], spans: list[Span]) -> Callable[[int], list[float]]:
    return lambda count: read(tokens, spans[:count])


def _spans(n_tokens: int, size: int, stride: int) -> list[Span]:
    """Of each window; every token but the first is counted once.

    >>> _spans(10, 4, 2)
    [(0, 1, 4), (2, 4, 6), (4, 6, 8), (6, 8, 10)]
    """
    spans = [(0, 1, min(size, n_tokens))]
    while spans[-1][2] < n_tokens:
        counted = spans[-1][2]
        end = min(counted + stride, n_tokens)
        spans.append((max(0, end - size), counted, end))
    return spans


def _bits(model: ChoiceModel, tokens: list[int], spans: list[Span]) -> list[float]:
    """The cost of each window's counted tokens, from one forward over windows padded on the right."""
    longest = max(end - start for start, _, end in spans)
    inputs = torch.zeros((len(spans), longest), dtype=torch.long)
    reads: list[tuple[int, int]] = []
    places: list[int] = []
    counts: list[int] = []
    for row, (start, counted, end) in enumerate(spans):
        inputs[row, : end - start] = torch.tensor(tokens[start:end])
        reads += [(len(places) + order, tokens[place]) for order, place in enumerate(range(counted, end))]
        places += [row * longest + place - start - 1 for place in range(counted, end)]
        counts.append(end - counted)
    with torch.inference_mode(), model.kernels():
        hidden = model.decoder(input_ids=inputs.to(model.device), use_cache=False).last_hidden_state
        wanted = hidden.flatten(0, 1).index_select(0, torch.tensor(places, device=hidden.device))
        log_probabilities = model.log_probabilities(wanted, torch.tensor(reads, device=hidden.device)).double()
    return [-float(part.sum()) / math.log(2) for part in log_probabilities.cpu().split(counts)]


def _plain(model: Any, tokens: list[int], spans: list[Span]) -> list[float]:
    """The same, from one forward of the model itself per window."""
    costs: list[float] = []
    for start, counted, end in spans:
        with torch.inference_mode():
            inputs = torch.tensor([tokens[start:end]], device=model.device)
            known = model(input_ids=inputs, use_cache=False).logits[0].float().log_softmax(-1)
        wanted = torch.tensor(tokens[counted:end], device=known.device)
        rows = torch.arange(counted - start - 1, end - start - 1, device=known.device)
        costs.append(-float(known[rows, wanted].double().sum()) / math.log(2))
    return costs


def _byte_ends(text: str, starts: list[int]) -> list[int]:
    """(n_tokens + 1,) bytes of text before each token, the last one all bytes; starts: in characters.

    Tokens that share a character (a byte each of it) start at the same place: its bytes go to the last of them.
    """
    ends: list[int] = []
    place, n_bytes = 0, 0
    for start in starts:
        n_bytes += len(text[place:start].encode("utf-8", "surrogatepass"))
        place = max(place, start)
        ends.append(n_bytes)
    ends[0] = 0
    ends.append(len(text.encode("utf-8", "surrogatepass")))
    return ends
