"""General data for a training that must not forget: built-in prompts and texts, and those of a user's file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.config import NO_REPLAY, SELF_REPLAY
from paretune.errors import TrainingError
from paretune.files import file_sha256

NONE = "none"
BUILT_IN = "built-in"
_ASSETS = Path(__file__).parent / "assets"
PROMPTS = (_ASSETS / "prompts.en.txt", _ASSETS / "prompts.pt-br.txt")  # one request per line
TEXTS = _ASSETS / "texts.txt"  # one paragraph per line


@dataclass(frozen=True, slots=True)
class GeneralPrompt:
    """What a model is asked that is no question of the target. completion: the answer; None: the base writes its own.
    place: file and line, for messages."""

    text: str
    completion: str | None
    place: str


def files_of(replay: str) -> tuple[Path, ...]:
    """The files that a value of `replay` means."""
    return {NO_REPLAY: (), SELF_REPLAY: PROMPTS}.get(replay, (Path(replay),))


def content_sha256(files: Sequence[Path]) -> str:
    """SHA-256 of the files' contents together. Raises TrainingError where one cannot be read."""
    try:
        return hashlib.sha256("".join(file_sha256(file) for file in files).encode()).hexdigest()
    except OSError as error:
        raise TrainingError(f"{error.filename}: cannot be read ({error.strerror})") from error


def read_lines_of(file: Path, key: str) -> list[str]:
    """The lines that are not empty. Raises TrainingError where there is none; key: the setting that names the file."""
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{file}: {key} cannot be read ({error})") from error
    if not lines:
        raise TrainingError(f"{file}: {key} is empty; expected one text per line")
    return lines


def read_prompts(replay: str) -> list[GeneralPrompt]:
    """The prompts that a value of `replay` means: of .jsonl files one object per line with `prompt` and, where the
    answer is given, `completion`; of other files one prompt per line. Raises TrainingError."""
    found = []
    for file in files_of(replay):
        for number, line in enumerate(read_lines_of(file, "replay"), 1):
            place = f"{file}, row {number}"
            found.append(_row(line, place) if file.suffix == ".jsonl" else GeneralPrompt(line, None, place))
    return found


def _row(line: str, place: str) -> GeneralPrompt:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise TrainingError(f"{place}: not JSON ({error})") from error
    prompt, completion = (row.get("prompt"), row.get("completion")) if isinstance(row, dict) else (None, None)
    if not isinstance(prompt, str) or not prompt.strip() or not isinstance(completion, str | None):
        raise TrainingError(f'{place}: expected {{"prompt": text, "completion": text}}, the completion only where the '
                            "base model is not to write it")  # fmt: skip
    return GeneralPrompt(prompt, completion, place)
