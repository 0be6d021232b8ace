"""Writing where anything may be missing: file systems without locks, hard links or atomic rename, and sudden ends.

Google Drive as Colab mounts it, network shares and USB sticks refuse some of what a local disk grants. What is written
here is whole because a marker that lists every file is written last, not because a rename succeeded.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_BLOCK_BYTES = 1 << 20
# What a file system answers to a call that it does not have; EXDEV and EPERM come from some FUSE drivers.
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EPERM, errno.ENOLCK})


# What a disk answers that is gone for a while: a network share whose server restarts, a mount that is renewed.
_ABSENT = frozenset({errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH,
                     errno.ENODEV, errno.ENXIO})  # fmt: skip
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between attempts


def persist(act: Callable[[], T]) -> T:
    """What `act` returns, tried again for half a minute while the disk is absent. act: may be done twice."""
    for pause in _PAUSES:
        try:
            return act()
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
            time.sleep(pause)
    return act()


def is_unsupported(error: OSError) -> bool:
    """Whether the file system has no such operation, as opposed to having failed at it."""
    return error.errno in _UNSUPPORTED


def replace_file(written: Path, target: Path) -> None:
    """Give a finished file its final name; where the file system cannot rename, copy it there and remove it."""
    try:
        os.replace(written, target)
    except OSError as error:
        if not is_unsupported(error):
            raise
        shutil.copyfile(written, target)
        written.unlink()


def move(source: Path, target: Path, last: Sequence[str] = ()) -> None:
    """Give a finished file or folder its final name, which must be free.

    Where the file system cannot rename, a folder's files are copied, those named in `last` after all others: what
    says that the folder is whole.
    """
    try:
        os.rename(source, target)
        return
    except OSError as error:
        if not is_unsupported(error):
            raise
    if source.is_file():
        shutil.copyfile(source, target)
        source.unlink()
        return
    for file in sorted(source.rglob("*"), key=lambda file: (file.name in last, file)):
        if file.is_file():
            copy_file(file, target / file.relative_to(source))
    shutil.rmtree(source)


def write_bytes(target: Path, content: bytes) -> None:
    """Write a whole file beside its place and move it there, again where the disk is absent for a while."""
    persist(lambda: _write_bytes(target, content))


def _write_bytes(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            sync_file(file.fileno())
        replace_file(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy one file beside its place and move it there; the time of its last change goes along where it can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(source, "rb") as read, open(temporary, "wb") as file:
            shutil.copyfileobj(read, file, _BLOCK_BYTES)
            sync_file(file.fileno())
        status = source.stat()
        with suppress(OSError):
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
        replace_file(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_temporary(path: Path) -> bool:
    """Whether a file is one that write_bytes or copy_file was still writing when it was stopped.

    >>> is_temporary(Path("data/.dev.json.4711.part"))
    True
    """
    return path.name.startswith(".") and path.name.endswith(".part")


@contextmanager
def held(lock_file: Path, *, shared: bool = False, wait: bool = False) -> Iterator[bool]:
    """Keep other processes from the same work; yields False, and keeps out none, where the file system has no locks.

    shared: several processes may hold it so, and none of them beside one that holds it alone. wait: until it is free. A
    process that is killed holds nothing. Raises BlockingIOError when another process holds it.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with open(lock_file, "ab") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError as error:
            if not is_unsupported(error):
                raise
            yield False
            return
        yield True


def lacking(folder: Path) -> list[str]:
    """What a writable folder's file system does not have of "locks" and "renames", tried with a file of its own."""
    probe = folder / f".probe.{os.getpid()}.part"
    moved = folder / f".probe-moved.{os.getpid()}.part"
    missing = []
    try:
        with open(probe, "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                missing.append("locks")
        try:
            os.replace(probe, moved)
        except OSError:
            missing.append("renames")
    finally:
        for left in (probe, moved):
            with suppress(OSError):
                left.unlink()
    return missing


def sync_file(descriptor: int) -> None:
    """Have a file on the disk before going on, where the file system can promise that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (is_unsupported(error) or error.errno == errno.EINVAL):
            raise
