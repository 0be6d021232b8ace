"""Fetch a benchmark by name: from the Hub, Kaggle, an address or a local archive into the store, checked."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from paretune.disk import copy_file, held, replace_file, write_bytes
from paretune.errors import ConfigError, DataError
from paretune.files import file_sha256, store_directory
from paretune.progress import progress_bar
from paretune.sources.archive import is_archive, unpack
from paretune.sources.download import download
from paretune.sources.known import KnownData, known_data
from paretune.sources.layout import Arrangement, Reference, arrange
from paretune.sources.store import Marker, data_folder, read_marker, write_marker
from paretune.sql.database import check_database
from paretune.sql.execute import ExecutionLimits, execute

REFERENCE_SECONDS = 10.0  # for one reference query
_NAMED_FAILURES = 3
_TEST_SPLITS = ("dev", "test")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """folder: where the benchmark is. marker: what is in it. fresh: False where it was there already."""

    folder: Path
    marker: Marker
    fresh: bool


@dataclass(frozen=True, slots=True)
class _Material:
    """What an origin gave. path: a file or folder. owned: ours to take apart and to remove."""

    path: Path
    origin: str
    owned: bool = field(default=False)


def fetch(name: str, origin: str | None, *, to: Path | None = None, say: Say) -> Fetched:
    """Have a benchmark whole in its folder.

    name: one of sources.known. origin: "hub", "kaggle", an address, an archive, a file or a folder; None tries the
    known origins in turn. to: a folder in place of the store's. Raises ConfigError for an unknown name or origin, and
    DataError for what cannot be had or is not what it should be, with what to do by hand.
    """
    data = known_data(name)
    folder = to if to is not None else data_folder(name)
    there = read_marker(data.name, folder)
    if there is not None:
        return Fetched(folder, there, False)
    if data.layout == "spider-split" and read_marker("spider", folder) is None:
        raise DataError(f"{data.name}: asks on Spider's databases, which are not in {folder}; paretune fetch spider")
    scratch = folder.with_name(f".{data.name}.fetching")
    try:
        with held(scratch.with_name(f".{data.name}.lock")):
            shutil.rmtree(scratch, ignore_errors=True)
            material = _material(data, origin, say)
            marker = _lay_out(data, material, folder, scratch, say)
            _clean_up(material, scratch)
    except BlockingIOError as error:
        raise DataError(f"{data.name}: another process fetches it into {folder}; wait for it") from error
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written ({error.strerror or error})") from error
    return Fetched(folder, marker, True)


def _material(data: KnownData, origin: str | None, say: Say) -> _Material:
    if origin is not None and origin not in ("hub", "kaggle", "url"):
        return _from_address_or_path(data, origin)
    reasons = []
    for place in data.origins if origin is None else (origin,):
        if place not in data.origins:
            raise ConfigError(f"{data.name}: not known at {place!r}; known: {', '.join(data.origins)}, or name a FILE")
        try:
            return _GETTERS[place](data, say)
        except DataError as error:
            reasons.append(str(error))
            say(f"{data.name}: {error}")
    raise DataError(
        f"{data.name}: not to be had ({'; '.join(reasons)}); download it with a browser at {data.page} and run: "
        f"paretune fetch {data.name} --from FILE"
    )


def _from_address_or_path(data: KnownData, origin: str) -> _Material:
    if origin.startswith(("http://", "https://")):
        return _from_address(data, origin)
    path = Path(origin).expanduser()
    if not path.exists():
        raise ConfigError(f"--from {origin}: no such file or folder; or hub, kaggle, or an address (https://...)")
    return _Material(path.resolve(), str(path))


def _from_address(data: KnownData, url: str) -> _Material:
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2] or "file"
    mark = hashlib.sha256(url.encode()).hexdigest()[:12]
    target = store_directory() / "downloads" / f"{data.name}-{mark}-{name}"
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None
        seen = 0

        def tell(arrived: int, total: int | None) -> None:
            nonlocal advance, seen
            if advance is None:
                advance = stack.enter_context(progress_bar(f"{data.name} bytes", total or 0))
            advance(arrived - seen)
            seen = arrived

        download(url, target, on_bytes=tell)
    return _Material(target, url, owned=True)


def _from_known_address(data: KnownData, say: Say) -> _Material:
    assert data.url is not None
    say(f"{data.name}: from {data.url}")
    return _from_address(data, data.url)


def _from_hub(data: KnownData, say: Say) -> _Material:
    from huggingface_hub import snapshot_download

    assert data.hub is not None
    say(f"{data.name}: from the Hub ({data.hub})")
    try:
        path = snapshot_download(data.hub, repo_type="dataset", allow_patterns=list(data.hub_files))
    except Exception as error:  # the client's errors are many: offline, unknown, gated, disk full
        raise DataError(f"Hub data set {data.hub}: {_first_line(error)}") from error
    return _Material(Path(path), f"hub:{data.hub}@{Path(path).name}")


def _from_kaggle(data: KnownData, say: Say) -> _Material:
    """A Kaggle data set in kagglehub's own cache: on Colab it decides that place itself, so the files are copied.

    kagglehub finds the key in the environment, in ~/.kaggle or in a Colab secret; a kaggle.json in the working
    directory, where Colab's upload puts it, is pointed out to it.
    """
    try:
        import kagglehub
    except ImportError as error:
        raise DataError('Kaggle needs kagglehub; install it with: pip install "kagglehub>=1.0.1"') from error
    assert data.kaggle is not None
    say(f"{data.name}: from Kaggle ({data.kaggle})")
    with _kaggle_key_beside():
        try:
            path = kagglehub.dataset_download(data.kaggle)
        except Exception as error:  # kagglehub raises its own, requests' and plain ValueErrors
            raise DataError(
                f"Kaggle data set {data.kaggle}: {_first_line(error)} (a key: kaggle.json in ~/.kaggle or here, "
                "KAGGLE_USERNAME and KAGGLE_KEY, or Colab secrets of these names)"
            ) from error
    return _Material(Path(path), f"kaggle:{data.kaggle}")


_GETTERS: dict[str, Callable[[KnownData, Say], _Material]] = {
    "hub": _from_hub,
    "kaggle": _from_kaggle,
    "url": _from_known_address,
}


@contextmanager
def _kaggle_key_beside() -> Iterator[None]:
    key = Path("kaggle.json").resolve()
    if not key.is_file() or "KAGGLE_CONFIG_DIR" in os.environ or (Path.home() / ".kaggle" / "kaggle.json").is_file():
        yield
        return
    os.environ["KAGGLE_CONFIG_DIR"] = str(key.parent)
    try:
        yield
    finally:
        del os.environ["KAGGLE_CONFIG_DIR"]


def _lay_out(data: KnownData, material: _Material, folder: Path, scratch: Path, say: Say) -> Marker:
    """Unpack, recognise, check, put in place; the marker last."""
    root, owned = material.path, material.owned
    if root.is_file() and is_archive(root):
        say(f"{data.name}: unpacking {root.name}")
        root, owned = scratch / "unpacked", True
        unpack(material.path, root)
    elif root.is_file() and root.suffix.lower() not in (".json", ".jsonl", ".parquet"):
        unpack(root, scratch / "unpacked")  # refuses it, saying what it is
    arrangement = arrange(data, root)
    notes = [*arrangement.notes, *check(data, arrangement, folder, say)]
    in_store = folder == data_folder(data.name)
    files = _put_in_place(arrangement, folder, scratch / "laid-out", owned=owned, in_store=in_store)
    hashes = {name: file_sha256(folder / name) for name in files}
    marker = Marker(data.name, material.origin, {name: (folder / name).stat().st_size for name in files}, hashes,
                    tuple(notes))  # fmt: skip
    write_marker(marker, folder)
    return marker


def check(data: KnownData, arrangement: Arrangement, folder: Path, say: Say) -> list[str]:
    """Whether the databases open and the references execute; remarks on what is missing or fails.

    folder: where databases stand that the arrangement does not bring. Raises DataError for a damaged database and for
    a question of a test split without one.
    """
    if not arrangement.references:
        return []
    for path in arrangement.databases.values():
        check_database(path)
    standing = {path.stem: path for path in folder.glob("database/*/*.sqlite")}
    databases = standing | arrangement.databases
    missing: dict[str, set[str]] = {}
    for reference in arrangement.references:
        if reference.db_id not in databases:
            missing.setdefault(reference.split, set()).add(reference.db_id)
    notes = []
    for split, names in missing.items():
        listed = ", ".join(sorted(names))
        if not split.startswith("train"):
            raise DataError(f"{data.name}: questions of {split}.json ask on databases that are not in it: {listed}")
        notes.append(f"{split}: no database {listed}; leave them out with target.exclude_databases")
    say(f"{data.name}: running {len(arrangement.references)} reference queries")
    return [*notes, *_failing(data, arrangement.references, databases)]


def _failing(data: KnownData, references: list[Reference], databases: dict[str, Path]) -> list[str]:
    limits = ExecutionLimits(seconds=REFERENCE_SECONDS)
    failures: dict[str, list[str]] = {}
    asked = [reference for reference in references if reference.db_id in databases]
    with progress_bar(f"{data.name} references", len(asked)) as advance:
        for reference in asked:
            outcome = execute(databases[reference.db_id], reference.query, limits)
            if outcome.status != "ok":
                failures.setdefault(reference.split, []).append(f"{reference.index} ({outcome.error})")
            advance(1)
    counts = Counter(reference.split for reference in asked)
    return [
        f"{split}: {len(failed)} of {counts[split]} reference queries fail: {', '.join(failed[:_NAMED_FAILURES])}"
        + (", ..." if len(failed) > _NAMED_FAILURES else "")
        for split, failed in failures.items()
    ]


def _put_in_place(arrangement: Arrangement, folder: Path, laid_out: Path, *, owned: bool, in_store: bool) -> list[str]:
    """The files under their names: the whole folder by one rename where it is new, file by file where it is not or
    where the file system cannot. Only in the store is other content replaced."""
    target = folder if folder.exists() else laid_out
    for name, source in arrangement.files.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not in_store and place.exists() and not _is_same(source, place):
            raise DataError(f"{place}: stands there with other content; move it away, or choose another folder")
        if isinstance(source, bytes):
            write_bytes(place, source)
        elif owned:
            replace_file(source, place)
        else:
            copy_file(source, place)
    if target is laid_out:
        try:
            os.replace(laid_out, folder)
        except OSError:
            for name in arrangement.files:
                copy_file(laid_out / name, folder / name)
    return sorted(arrangement.files)


def _is_same(source: Path | bytes, place: Path) -> bool:
    if isinstance(source, bytes):
        return place.read_bytes() == source
    return place.stat().st_size == source.stat().st_size and file_sha256(place) == file_sha256(source)


def _clean_up(material: _Material, scratch: Path) -> None:
    """What was downloaded and unpacked is in place now; nothing depends on whether this succeeds."""
    with suppress(OSError):
        shutil.rmtree(scratch, ignore_errors=True)
        if material.owned:
            material.path.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
