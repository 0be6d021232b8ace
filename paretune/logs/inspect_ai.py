"""A log of inspect-ai: `.eval`, a zip with one JSON file per sample, or the same as one `.json`."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.logs.answers import Benchmark, LoggedAnswer, cluster_of, json_object, mark
from paretune.run.jsonl import Record

# What inspect-ai's scorers write for right and wrong; partial credit ("P") is neither.
_VALUES = {"C": True, "I": False, "N": False, True: True, False: False}
_STORED, _DEFLATED, _ZSTANDARD = 0, 8, 93  # ways in which a member of a zip is packed
_LOCAL_HEADER = 30  # bytes before a member's name


def read(path: Path, cluster: str) -> tuple[Benchmark, ...] | None:
    """The task of a log, or all tasks of a folder of logs. Raises DataError for a log that did not end well."""
    if path.is_dir():
        files = sorted([*path.glob("*.eval"), *path.glob("*.json")])
        logs = [read(file, cluster) for file in files]
        benchmarks = tuple(benchmark for item in logs if item for benchmark in item)
        return benchmarks or None
    if path.suffix.lower() == ".eval":
        header, samples = _unzipped(path)
    elif path.suffix.lower() == ".json":
        header = json_object(path.read_text(encoding="utf-8", errors="replace"), str(path))
        samples = header.pop("samples", None) or []
        if "eval" not in header:
            return None
    else:
        return None
    return (_benchmark(path, header, samples, cluster),)


def _unzipped(path: Path) -> tuple[Record, list[Record]]:
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            members = {item.filename: item for item in archive.infolist()}
            if "header.json" not in members:
                raise DataError(f"{path}: no header.json in it; the evaluation has not ended: run it to its end")
            read = {
                name: json_object(_unpacked(file, item, path), f"{path}, {name}")
                for name, item in members.items()
                if name == "header.json" or (name.startswith("samples/") and name.endswith(".json"))
            }
    except (zipfile.BadZipFile, zlib.error, struct.error) as error:
        raise DataError(f"{path}: not a zip file that can be read ({error}); copy the log again") from error
    return read.pop("header.json"), list(read.values())


def _unpacked(file: Any, member: zipfile.ZipInfo, path: Path) -> str:
    """The text of one member. Newer logs are packed by Zstandard, which Python's zipfile does not know before 3.14."""
    file.seek(member.header_offset)
    head = file.read(_LOCAL_HEADER)
    name, extra = struct.unpack("<HH", head[26:30])
    file.seek(name + extra, 1)
    data = file.read(member.compress_size)
    if member.compress_type == _ZSTANDARD:
        import pyarrow

        try:
            data = pyarrow.Codec("zstd").decompress(data, member.file_size, asbytes=True)
        except pyarrow.ArrowException as error:
            raise DataError(f"{path}, {member.filename}: cannot be unpacked ({error}); copy the log again") from error
    elif member.compress_type == _DEFLATED:
        data = zlib.decompress(data, -zlib.MAX_WBITS)
    elif member.compress_type != _STORED:
        raise DataError(f"{path}, {member.filename}: packed in an unknown way ({member.compress_type}); "
                        "`inspect log convert --to json` writes a log that can be read")  # fmt: skip
    return str(data, "utf-8", "replace")


def _benchmark(path: Path, header: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], cluster: str) -> Benchmark:
    if header.get("status") != "success":
        raise DataError(f"{path}: its status is {header.get('status')!r}, not 'success'; run the evaluation to its end")
    if not samples:
        raise DataError(f"{path}: no samples in it; log them (without --no-log-samples)")
    about, plan = header["eval"], header.get("plan") or {}
    name = str(about.get("task", path.stem)).rpartition("/")[2]
    scorer = _scorer(path, samples)
    epochs = len({sample.get("epoch", 1) for sample in samples})
    answers = tuple(_answers(path, samples, scorer, cluster, epochs))
    conditions = {
        "metric": scorer,
        "version": str(about.get("task_version", "")),
        "epochs": str(epochs),
        "solver": mark([[step.get("solver"), step.get("params")] for step in plan.get("steps") or []]),
        "task arguments": mark(about.get("task_args") or {}),
        "generation": mark(plan.get("config") or {}),
    }
    options = [len(answer.options) for answer in answers]
    known = sum(1 / count if count > 1 else 0.0 for count in options) / max(1, len(answers))
    return Benchmark(name, answers, conditions, known)


def _scorer(path: Path, samples: Sequence[Mapping[str, Any]]) -> str:
    """The first scorer that says right or wrong of every sample."""
    named: dict[str, None] = dict.fromkeys(name for sample in samples for name in sample.get("scores") or {})
    for name in named:
        if all(_verdict((sample.get("scores") or {}).get(name)) is not None for sample in samples):
            return name
    unscored = [str(sample.get("id")) for sample in samples if not sample.get("scores")]
    if unscored:
        raise DataError(f"{path}: {len(unscored)} samples have no score, such as {unscored[0]}; score the log again")
    raise DataError(f"{path}: no scorer says right or wrong of every sample (it has {', '.join(named) or 'none'})")


def _verdict(score: Any) -> bool | None:
    """Right or wrong, None where a score is neither."""
    value = score.get("value") if isinstance(score, Mapping) else None
    if isinstance(value, float | int) and not isinstance(value, bool):
        return bool(value) if value in (0, 1) else None
    return _VALUES.get(value) if isinstance(value, str | bool) else None


def _answers(
    path: Path, samples: Sequence[Mapping[str, Any]], scorer: str, cluster: str, epochs: int
) -> Iterator[LoggedAnswer]:
    """Every sample; of several epochs each is one question, and those of one id are a cluster."""
    for sample in samples:
        identity, epoch = str(sample.get("id", "")), sample.get("epoch", 1)
        fields = {**sample, **(sample.get("metadata") or {})}
        group = cluster_of(fields, cluster, f"{path}, sample {identity}")
        options = tuple(str(option) for option in sample.get("choices") or ())
        letter = str((sample["scores"][scorer] or {}).get("answer") or "")
        output = sample.get("output") or {}
        yield LoggedAnswer(
            id=identity if epochs == 1 else f"{identity}, epoch {epoch}",
            correct=bool(_verdict(sample["scores"][scorer])),
            cluster=group or ("" if epochs == 1 else identity),
            question=_text(sample.get("input")),
            options=options,
            reference=_target(sample.get("target"), options),
            prompt=mark([_text(sample.get("input")), _asked(sample.get("messages") or [])]),
            predicted=_place(letter, options),
            text=str(output.get("completion", "")),
        )


def _asked(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What stands before the model's first answer: solved examples and system message too."""
    asked = []
    for message in messages:
        if message.get("role") == "assistant" and message.get("source") == "generate":
            break
        asked.append((str(message.get("role")), _text(message.get("content"))))
    return asked


def _text(content: Any) -> str:
    """The text of an input or a message, which may be a list of messages or parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            _text(part.get("content", part.get("text", json.dumps(part, sort_keys=True))))
            if isinstance(part, dict)
            else str(part)
            for part in content
        )
    return "" if content is None else str(content)


def _target(target: Any, options: Sequence[str]) -> str:
    """The right answer in words: inspect-ai names an option by its letter."""
    text = " | ".join(map(str, target)) if isinstance(target, list) else str(target or "")
    place = _place(text, options)
    return text if place is None else options[place]


def _place(letter: str, options: Sequence[str]) -> int | None:
    place = ord(letter) - ord("A") if len(letter) == 1 else -1
    return place if 0 <= place < len(options) else None
