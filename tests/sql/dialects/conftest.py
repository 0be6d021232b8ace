"""One small shop in SQLite, DuckDB and PostgreSQL; the PostgreSQL server is a cluster of the tests' own on a socket."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

STATEMENTS = (
    'CREATE TABLE customer (id INTEGER PRIMARY KEY, "Full Name" TEXT, city TEXT)',
    'CREATE TABLE "order" (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), '
    "price DOUBLE PRECISION)",
    "INSERT INTO customer VALUES (1, 'Ana', 'Recife'), (2, 'Zé', 'Olinda'), (3, NULL, 'Recife')",
    'INSERT INTO "order" VALUES (1, 1, 2.5), (2, 1, 2.5), (3, 2, 7)',
    'CREATE VIEW dear AS SELECT id, price FROM "order" WHERE price > 5',
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL server. folder: of its socket."""

    folder: Path

    def url(self, user: str, database: str = "shop") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    return found[-1].parent if found else Path(str(on_path)).parent


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A new cluster on a socket, no port; roles `owner` (superuser) and `reader`; database `shop`."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'psycopg[binary]')")
    import psycopg

    binaries, folder = _binaries(), Path(tempfile.mkdtemp(prefix="paretune-pg-"))
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:  # the server refuses root
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("tests run as root and there is no user postgres, as whom a server could run")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def run(program: str, *words: str, check: bool = True) -> None:
        """A server's program; its output goes nowhere, for a server keeps what it was started with."""
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        subprocess.run(
            [binaries / program, "-D", folder / "data", *words],
            check=check, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
        )  # fmt: skip

    run("initdb", "-U", "owner", "-A", "trust", "-E", "UTF8", "-N")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c shared_buffers=16MB"
    run("pg_ctl", "-l", str(folder / "log"), "-o", options, "-w", "-t", "60", "start")
    started = Cluster(folder)
    try:
        with psycopg.connect(started.url("owner", "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        with psycopg.connect(started.url("owner"), autocommit=True) as connection:
            for statement in STATEMENTS:
                connection.execute(statement)
            connection.execute("CREATE ROLE reader LOGIN")
            connection.execute("GRANT pg_read_all_data TO reader")
        yield started
    finally:
        run("pg_ctl", "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "duckdb", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file that stands for the shop, in each dialect."""
    path = tmp_path / f"shop.{request.param}"
    if request.param == "sqlite":
        with closing(sqlite3.connect(path)) as connection:
            for statement in STATEMENTS:
                connection.execute(statement)
            connection.commit()
    elif request.param == "duckdb":
        duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed (pip install duckdb)")
        with closing(duckdb.connect(str(path))) as connection:
            for statement in STATEMENTS:
                connection.execute(statement)
    else:
        cluster = request.getfixturevalue("cluster")
        path.write_text(json.dumps({"url": cluster.url("reader")}))
    return path
