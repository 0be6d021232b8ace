"""A small benchmark in Spider's layout, archives of it, and a server on this machine that can fail half-way."""

from __future__ import annotations

import hashlib
import json
import socket
import sqlite3
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


def write_spider(folder: Path, databases: tuple[str, ...] = ("shop", "zoo"), rows: int = 3) -> Path:
    """dev.json, train_spider.json, tables.json and databases with one table `item`."""
    for name in databases:
        path = folder / "database" / name / f"{name}.sqlite"
        path.parent.mkdir(parents=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE item (name TEXT, price REAL)")
            connection.executemany("INSERT INTO item VALUES (?, ?)", [(f"{name}-{n}", n) for n in range(rows)])
            connection.commit()
    entries = [{"db_id": name, "question": f"Items of {name}?", "query": "SELECT name FROM item"} for name in databases]
    (folder / "dev.json").write_text(json.dumps(entries))
    (folder / "train_spider.json").write_text(json.dumps(entries))
    (folder / "tables.json").write_text(json.dumps([{"db_id": name} for name in databases]))
    return folder


def zip_of(folder: Path, archive: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, prefix + file.relative_to(folder).as_posix())
    return archive


def tar_of(folder: Path, archive: Path, prefix: str = ".") -> Path:
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, prefix)
    return archive


@dataclass
class Loopback:
    """What the server serves and how it fails. breaks: after how many bytes each coming answer ends, None for whole.
    asked: the Range header of every request."""

    content: bytes
    url: str = ""
    ranges: bool = True
    weak: bool = False
    breaks: list[int | None] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    status: int | None = None


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    served = Loopback(bytes(range(256)) * 4000)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            served.asked.append(wanted)
            etag = f'{"W/" if served.weak else ""}"{hashlib.sha256(served.content).hexdigest()}"'
            start = 0
            if served.status is not None:
                self.send_error(served.status)
                return
            if wanted and served.ranges and self.headers.get("If-Range") == etag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(served.content):
                    self.send_response(416)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(served.content) - 1}/{len(served.content)}")
            else:
                self.send_response(200)
            rest = served.content[start:]
            self.send_header("Content-Length", str(len(rest)))
            self.send_header("ETag", etag)
            self.end_headers()
            cut = served.breaks.pop(0) if served.breaks else None
            self.wfile.write(rest[:cut])
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}/spider.zip"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test alone."""
    folder = tmp_path / "store"
    monkeypatch.setenv("PARETUNE_HOME", str(folder))
    return folder


@pytest.fixture
def unused_port() -> int:
    """A port of this machine on which nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
