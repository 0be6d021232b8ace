"""The store's data: one folder a benchmark, whole once its marker lists every file that is there.

    STORE/data/spider/{dev,train_spider,...}.json  database/<db_id>/<db_id>.sqlite  .spider.json  .spider-dk.json
    STORE/data/mmlu/...                                                             .mmlu.json
    STORE/downloads/...       what is on its way        STORE/models/  STORE/runs/

The marker is written last. Where a kill or a file system without rename left half a folder, the marker is missing, cut
or lists what is not there, and the next fetch puts the rest in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from paretune.choice.suites import suite_kind
from paretune.config import LM_EVAL, ExperimentConfig
from paretune.disk import write_bytes
from paretune.errors import DataError
from paretune.files import store_directory
from paretune.sources.known import KNOWN, known_data
from paretune.sql.task import SqlTarget


@dataclass(frozen=True, slots=True)
class Marker:
    """What stands in a store's folder. origin: where it came from. files: bytes by relative path. sha256: of the same
    files. notes: what a reader of the figures should know."""

    name: str
    origin: str
    files: Mapping[str, int]
    sha256: Mapping[str, str]
    notes: tuple[str, ...] = ()


def data_folder(name: str, store: Path | None = None) -> Path:
    """Where a benchmark's files are in the store, whether they are there or not."""
    return (store or store_directory()) / "data" / known_data(name).folder


def marker_path(name: str, folder: Path) -> Path:
    """The marker of one benchmark in a folder."""
    return folder / f".{name}.json"


def read_marker(name: str, folder: Path) -> Marker | None:
    """The marker of a benchmark of which every file is there at its size; None otherwise."""
    try:
        found: dict[str, Any] = json.loads(marker_path(name, folder).read_text(encoding="utf-8"))
        marker = Marker(
            str(found["name"]), str(found["origin"]), dict(found["files"]), dict(found["sha256"]),
            tuple(found["notes"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    sizes = ((folder / file, size) for file, size in marker.files.items())
    return marker if all(file.is_file() and file.stat().st_size == size for file, size in sizes) else None


def write_marker(marker: Marker, folder: Path) -> None:
    """Say that a benchmark is whole."""
    text = json.dumps(asdict(marker), ensure_ascii=False, indent=1) + "\n"
    write_bytes(marker_path(marker.name, folder), text.encode())


def find_data(kind: str, key: str) -> Path:
    """The store's folder for a target or suite of that kind.

    key: the key of an experiment file that may name a directory instead. Raises DataError with the command that
    fetches it.
    """
    if not any(kind == data.name or kind in data.kinds for data in KNOWN.values()):
        raise DataError(f"{key}: missing, and {kind!r} is not fetched by name; name its directory (--set {key}=DIR)")
    name = known_data(kind).name
    folder = data_folder(name)
    if read_marker(name, folder) is None:
        raise DataError(
            f"{key}: missing, and the store ({store_directory()}) has no {name}; fetch it (paretune fetch {name}) or "
            f"name a directory (--set {key}=DIR)"
        )
    return folder


def with_stored_paths(config: ExperimentConfig) -> ExperimentConfig:
    """The experiment with the store's folders where its file names no path. Raises DataError as find_data."""
    target = config.target
    if isinstance(target, SqlTarget) and target.kind != "demo" and target.path is None:
        name = "bird-mini-dev" if target.kind == "bird" else target.kind
        target = replace(target, path=str(find_data(name, "target.path")))
        _require_split(target)
    general = tuple(
        item if item.path is not None or item.kind == LM_EVAL or suite_kind(item.kind).embedded is not None
        else replace(item, path=str(find_data(item.kind, _general_key(config, item.kind))))
        for item in config.general
    )  # fmt: skip
    return replace(config, target=target, general=general)


def _require_split(target: SqlTarget) -> None:
    """A split that is a benchmark of its own in Spider's folder must have been fetched as such."""
    folder = Path(str(target.path))
    if target.split in KNOWN and read_marker(target.split, folder) is None:
        raise DataError(f"target.split: the store has no {target.split}; fetch it (paretune fetch {target.split})")


def _general_key(config: ExperimentConfig, kind: str) -> str:
    return "general.path" if len(config.general) == 1 else f"general.{kind}.path"
