"""The run folder: where every stage's files lie, who works in it, and what decided their content.

Layout in docs/design.md. All writing of lines goes through jsonl.py; this module knows names, the lock, the manifest
and fingerprints.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paretune.disk import held
from paretune.errors import DataError, RunFolderError
from paretune.files import write_text
from paretune.run.jsonl import Record, count_lines, read_header

CELLS = ".cells"  # the locks of processes that share a folder


class RunFolder:
    """The files of one experiment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_shared = False  # with processes that work here at the same time

    @property
    def manifest_path(self) -> Path:
        """manifest.json."""
        return self.path / "manifest.json"

    @property
    def tables(self) -> Path:
        """The folder of CSV files."""
        return self.path / "tables"

    @property
    def report(self) -> Path:
        """The folder of the page and the plots."""
        return self.path / "report"

    def prepared(self, name: str) -> Path:
        """prepared/NAME.jsonl: sql, train or choice."""
        return self.path / "prepared" / f"{name}.jsonl"

    def variant(self, variant: str, file: str) -> Path:
        """A file or folder of one variant."""
        return self.path / variant / file

    def read_manifest(self) -> Record:
        """The manifest; empty where there is none yet."""
        try:
            found = json.loads(self.manifest_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise DataError(f"{self.manifest_path}: not JSON; delete it, it is written anew") from error
        return dict(found)

    @contextmanager
    def changing_manifest(self) -> Iterator[Record]:
        """The manifest, to be changed within; then it is written, whole. Processes that share the folder take turns."""
        with ExitStack() as stack:
            if self._is_shared:
                stack.enter_context(held(self.path / CELLS / "manifest.lock", wait=True))
            manifest = self.read_manifest()
            yield manifest
            write_text(self.manifest_path, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")

    def update_manifest(self, parts: Mapping[str, Any]) -> None:
        """Replace the named parts of the manifest, atomically."""
        with self.changing_manifest() as manifest:
            manifest.update(parts)

    def add_seconds(self, stage: str, variant: str | None, seconds: float, made: str | None = None) -> None:
        """Note what one piece of work took; a resumed stage adds a further entry. made: fingerprint of its file."""
        entry = {"stage": stage, "variant": variant, "seconds": round(seconds, 2), "ended": _now()}
        if made is not None:
            entry["made"] = made
        with self.changing_manifest() as manifest:
            manifest["work"] = [*manifest.get("work", []), entry]

    @contextmanager
    def timed(
        self,
        stage: str,
        variant: str | None = None,
        made: str | None = None,
        *,
        kept: bool = False,
        apart: Callable[[], float] = lambda: 0.0,
    ) -> Iterator[None]:
        """Add the block's seconds to the manifest, if it ends well. made: fingerprint of the file that it writes; kept:
        what an interrupted block wrote is kept, so its seconds count as well; apart: those that count elsewhere."""
        start = time.monotonic()
        try:
            yield
        except BaseException:
            if kept:
                self.add_seconds(stage, variant, time.monotonic() - start - apart(), made)
            raise
        self.add_seconds(stage, variant, time.monotonic() - start - apart(), made)

    def refuse_other_things(self) -> None:
        """Raises RunFolderError where the folder holds something and no run."""
        if self.manifest_path.exists() or not self.path.is_dir():
            return
        # of a run that was killed before its manifest was written
        begun = ("lock.json", "prepared", "search", "tracking", "tracking.json")
        strange = sorted(item.name for item in self.path.iterdir() if item.name[0] != "." and item.name not in begun)
        if strange:
            raise RunFolderError(f"{self.path}: a folder with other things in it ({strange[0]}); name a new one")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder alone. Raises RunFolderError naming the holder; a killed holder holds nothing.

        On a file system without locks (some network and cloud drives) only a process of this machine that is still
        there is respected.
        """
        owner_path = self.path / "lock.json"
        with ExitStack() as stack:
            try:
                has_locks = stack.enter_context(held(self.path / ".lock"))
            except BlockingIOError as error:
                raise RunFolderError(_refusal(self.path, owner_path)) from error
            except OSError as error:
                raise RunFolderError(f"{self.path}: cannot be locked ({error.strerror})") from error
            if not has_locks and _is_at_work(owner_path):
                raise RunFolderError(_refusal(self.path, owner_path))
            write_text(owner_path, _who_works())
            try:
                yield
            finally:
                owner_path.unlink(missing_ok=True)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Work here beside other processes that share the folder. Raises RunFolderError where one holds it alone."""
        with ExitStack() as stack:
            try:
                stack.enter_context(held(self.path / ".lock", shared=True))
            except BlockingIOError as error:
                raise RunFolderError(_refusal(self.path, self.path / "lock.json")) from error
            stack.enter_context(self.side_by_side())
            yield

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """Within, changes of the manifest wait for those of other processes: for whoever holds the folder and shares it
        with helpers, and for these."""
        before, self._is_shared = self._is_shared, True
        try:
            yield
        finally:
            self._is_shared = before

    @contextmanager
    def doing(self, cell: str, *, wait: bool = False) -> Iterator[None]:
        """Hold one cell of a shared folder. Raises RunFolderError naming the process that is at it, or waits for it."""
        lock = self.path / CELLS / f"{cell.replace(':', '.')}.lock"
        with ExitStack() as stack:
            try:
                stack.enter_context(held(lock, wait=wait))
            except BlockingIOError as error:
                raise RunFolderError(f"{self.path}: {cell} is being done by {_owner(lock)}; wait for it") from error
            lock.write_text(_who_works(), encoding="utf-8")  # in place: the lock is on this very file
            yield


def work_seconds(manifest: Mapping[str, Any], variant: str, headers: Mapping[str, Record]) -> dict[str, float]:
    """Seconds per stage that a variant's present files took; work on files that were set aside does not count.

    headers: of the variant's files by name (answers, the task's, choice, training). An entry without a fingerprint, of
    a folder made before they were noted, counts.
    """
    files = {"generate": "answers", "choice": "choice", "train": "training"}
    files["score"] = next((name for name in headers if name not in files.values()), "")
    seconds: dict[str, float] = {}
    for entry in manifest.get("work", []):
        if entry.get("variant") != variant:
            continue
        stage, made = str(entry["stage"]), entry.get("made")
        present = headers.get(files.get(stage, ""), {}).get("fingerprint", made)
        if made in (None, present):
            seconds[stage] = seconds.get(stage, 0.0) + float(entry["seconds"])
    return seconds


def same_fingerprint(path: Path, fingerprint_wanted: str) -> bool:
    """Whether a line file carries this fingerprint."""
    return read_header(path).get("fingerprint") == fingerprint_wanted


def is_complete(path: Path, fingerprint_wanted: str, lines_wanted: int | None = None) -> bool:
    """Whether a line file exists with this fingerprint (and this many lines)."""
    return same_fingerprint(path, fingerprint_wanted) and lines_wanted in (None, count_lines(path))


def _is_at_work(path: Path) -> bool:
    """Whether lock.json names another process of this machine that exists."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        process = int(owner["process"])
        if owner["host"] != socket.gethostname() or process == os.getpid():
            return False
        os.kill(process, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _refusal(folder: Path, owner_path: Path) -> str:
    """Who holds the folder, and what to do. A launcher of several processes says so by WORLD_SIZE."""
    launched = os.environ.get("WORLD_SIZE", "1") not in ("", "0", "1")
    advice = (
        "start paretune once, without torchrun or another launcher; `paretune run --cluster auto` uses several GPUs"
        if launched
        else "wait for it or choose --out"
    )
    return f"{folder}: in use by {_owner(owner_path)}; {advice}"


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['process']} on {owner['host']} ({owner['command']}) since {owner['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"


def _who_works() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    owner = {"process": os.getpid(), "host": socket.gethostname(), "command": command, "since": _now()}
    return json.dumps(owner) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
