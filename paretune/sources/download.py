"""One file over HTTP, continued where an earlier attempt broke off.

What has arrived stands in NAME.part, what it is a part of in NAME.part.json (address, size and validator). The server
is asked for the rest only under the same validator (RFC 9110, If-Range); one that knows no ranges sends all again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.disk import replace_file, write_bytes
from paretune.errors import DataError

if TYPE_CHECKING:
    import httpx

LARGEST_BYTES = 64 * 2**30
PAUSE_SECONDS = 1.0  # after the first broken connection, twice as long after each further one
_ATTEMPTS = 5
_RANGE_NOT_SATISFIABLE = 416
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)

OnBytes = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class _Whole:
    """The file that a part belongs to, as the server described it."""

    url: str
    bytes: int | None
    validator: str | None


class _BrokenOff(Exception):
    """The connection ended early; what arrived is kept."""


def download(url: str, target: Path, *, on_bytes: OnBytes | None = None) -> Path:
    """The file behind a URL at `target`; nothing is asked where it is there already.

    on_bytes(arrived, total) tells the progress; total is None where the server does not say. A connection that breaks
    is taken up again a few times. Raises DataError naming the URL, why, and how much is kept for the next attempt.
    """
    import httpx

    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    reason = ""
    try:
        with httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30.0, read=60.0)) as client:
            for attempt in range(_ATTEMPTS):
                before = _size(part)
                try:
                    _continue(client, url, part, on_bytes)
                    replace_file(part, target)
                    _beside(part).unlink(missing_ok=True)
                    return target
                except (_BrokenOff, httpx.TransportError) as error:
                    reason = str(error) or type(error).__name__
                    if attempt and _size(part) == before and before == 0:
                        break  # no byte in two attempts: nothing to be had here
                    time.sleep(PAUSE_SECONDS * 2**attempt)
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
    except httpx.InvalidURL as error:
        raise DataError(f"{url}: not an address ({error})") from error
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error
    kept = _size(part)
    rest = f"; {kept} bytes are kept, and the same command goes on from there" if kept else ""
    raise DataError(f"{url}: not to be had ({reason}){rest}")


def _continue(client: httpx.Client, url: str, part: Path, on_bytes: OnBytes | None) -> None:
    known, arrived = _known(part, url), _size(part)
    headers = {"Accept-Encoding": "identity"}  # ranges count the bytes of the file itself
    if known is not None and known.validator is not None and arrived:
        headers |= {"Range": f"bytes={arrived}-", "If-Range": known.validator}
    else:
        arrived = 0
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == _RANGE_NOT_SATISFIABLE and known is not None and known.bytes == arrived:
            return  # all of it is here; only its renaming was missing
        if response.status_code in _WORTH_ANOTHER_TRY:
            raise _BrokenOff(f"the server answers {response.status_code}")
        if response.status_code not in (200, 206):
            raise DataError(f"{url}: the server answers {response.status_code} {response.reason_phrase}")
        if response.status_code == 206 and not _continues_at(response, arrived):
            part.unlink(missing_ok=True)
            raise _BrokenOff("the server sent another part than the one asked for")
        if response.status_code == 200:
            arrived = 0
        whole = _described(response, url, arrived)
        _require_room(whole, part, arrived)
        write_bytes(_beside(part), json.dumps(asdict(whole)).encode())
        _append(response, part, arrived, whole, on_bytes)


def _append(response: httpx.Response, part: Path, arrived: int, whole: _Whole, on_bytes: OnBytes | None) -> None:
    with open(part, "r+b" if arrived else "wb") as file:
        file.truncate(arrived)
        file.seek(arrived)
        for block in response.iter_raw():
            arrived += len(block)
            if arrived > (whole.bytes if whole.bytes is not None else LARGEST_BYTES):
                raise DataError(f"{whole.url}: sends more than the {whole.bytes or LARGEST_BYTES} bytes expected")
            file.write(block)
            file.flush()
            if on_bytes is not None:
                on_bytes(arrived, whole.bytes)
    if whole.bytes is not None and arrived < whole.bytes:
        raise _BrokenOff(f"{arrived} of {whole.bytes} bytes")


def _described(response: httpx.Response, url: str, arrived: int) -> _Whole:
    length = response.headers.get("content-length")
    strong = response.headers.get("etag")
    if strong is not None and strong.startswith("W/"):
        strong = None  # a weak validator cannot vouch for a range
    validator = strong or response.headers.get("last-modified")
    return _Whole(url, arrived + int(length) if length is not None and length.isdigit() else None, validator)


def _continues_at(response: httpx.Response, arrived: int) -> bool:
    return bool(response.headers.get("content-range", "").startswith(f"bytes {arrived}-"))


def _require_room(whole: _Whole, part: Path, arrived: int) -> None:
    if whole.bytes is None:
        return
    if whole.bytes > LARGEST_BYTES:
        raise DataError(f"{whole.url}: {whole.bytes} bytes, more than any benchmark has; refused")
    free = shutil.disk_usage(part.parent).free
    if whole.bytes - arrived > free:
        raise DataError(f"{part.parent}: {whole.bytes - arrived} bytes to come, {free} free; choose another --store")


def _known(part: Path, url: str) -> _Whole | None:
    try:
        state: dict[str, Any] = json.loads(_beside(part).read_text(encoding="utf-8"))
        known = _Whole(state["url"], state["bytes"], state["validator"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return known if known.url == url else None


def _beside(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
