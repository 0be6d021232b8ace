"""What a raw text costs under a model, in bits per byte: the figures that every engine reports alike."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowScore:
    """What one window counted. n_bytes: UTF-8 bytes of text whose tokens were counted here; bits: their cost."""

    n_tokens: int
    n_bytes: int
    bits: float


@dataclass(frozen=True, slots=True)
class PerplexityResult:
    """The cost of a text under a model. window, stride: in tokens; windows: in text order."""

    window: int
    stride: int
    windows: tuple[WindowScore, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens of the text."""
        return sum(window.n_tokens for window in self.windows)

    @property
    def n_bytes(self) -> int:
        """UTF-8 bytes of the text."""
        return sum(window.n_bytes for window in self.windows)

    @property
    def bits_per_byte(self) -> float:
        """Bits that the model needs for a byte of the text; lower is better."""
        return sum(window.bits for window in self.windows) / self.n_bytes

    @property
    def token_perplexity(self) -> float:
        """exp of the mean negative log-probability per token; comparable under one tokenizer only."""
        return math.exp(sum(window.bits for window in self.windows) * math.log(2) / self.n_tokens)


def bits_interval(result: PerplexityResult, confidence: float = 0.95) -> tuple[float, float] | None:
    """Interval of the bits per byte over texts of this kind, each window one observation; None for a single window.

    A ratio of sums, linearised, with Student's t. Neighbouring windows count as independent: it says how far the
    figure may be off because only this text was read, not how far two variants differ (compare those by window).
    """
    from scipy import stats

    count = len(result.windows)
    if count < 2:
        return None
    rate = result.bits_per_byte
    squares = sum((window.bits - rate * window.n_bytes) ** 2 for window in result.windows)
    error = math.sqrt(squares * count / (count - 1)) / result.n_bytes
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    return rate - half, rate + half
