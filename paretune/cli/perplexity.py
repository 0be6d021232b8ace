"""paretune perplexity: bits per byte of a raw text under a base model and any number of its adapters."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from paretune.cli.choice import add_model_arguments, build_engine, positive, variant_names
from paretune.errors import DataError
from paretune.text import Voice, voice_named

if TYPE_CHECKING:
    from paretune.engines.perplexity import PerplexityResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `paretune perplexity`."""
    parser.description = "Bits per byte of a text: comparable between tokenizers, and sensitive to any drift."
    add_model_arguments(parser)
    parser.add_argument("--text", type=Path, action="append", required=True, metavar="FILE", help="UTF-8 text")
    parser.add_argument(
        "--window", type=positive, metavar="N", help="tokens that the model sees at once (2048, or the model's context)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; raises ParetuneError for what the user can mend."""
    from paretune.progress import progress_bar

    voice = voice_named(arguments.lang)
    variants = variant_names(arguments.adapter)
    if len(arguments.text) > 1:
        raise DataError("--text: given several times; measure one text at a time")
    text = _read(arguments.text[0])
    engine = build_engine(arguments, variants.values())
    for variant, folder in variants.items():
        with engine.variant(folder), progress_bar(variant, len(text.encode())) as advance:
            result = engine.text_logprobs(
                text,
                window=arguments.window,
                on_window=lambda score, advance=advance: advance(score.n_bytes),  # type: ignore[misc]  # bound default
            )
        print(perplexity_summary(variant, result, voice))
    return 0


def perplexity_summary(variant: str, result: PerplexityResult, voice: Voice) -> str:
    """One variant's figures; the interval counts each window as one observation."""
    from paretune.engines.perplexity import bits_interval

    say = voice.say
    found = bits_interval(result)
    interval = "" if found is None else f"  {voice.limits(*found, decimals=4)}"
    return "\n".join(
        [
            f"{say('variant')}: {variant}",
            f"  {say('bits per byte')}: {voice.number(result.bits_per_byte, 4)}{interval}",
            f"  {say('perplexity per token')}: {voice.number(result.token_perplexity, 2)}",
            f"  {say('bytes')}: {result.n_bytes}, {say('tokens')}: {result.n_tokens}, "
            f"{say('window')}: {result.window} / {result.stride}",
            f"  {say('confidence intervals')}: 95 %, {say('clustered by window')}",
        ]
    )


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"--text {path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"--text {path}: not UTF-8 (byte {error.start}); convert it first") from error
    if not text:
        raise DataError(f"--text {path}: empty; expected a text to measure")
    return text
