from __future__ import annotations

import errno
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paretune.errors import DataError
from paretune.files import write_text
from paretune.run.jsonl import (
    LineWriter,
    as_record,
    count_lines,
    read_damaged_lines,
    read_header,
    read_lines,
    set_aside,
    write_lines,
)

HEADER = {"kind": "trial", "fingerprint": "abc"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Point:
    x: int
    y: tuple[int, ...]


def left_beside(path: Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir() if item != path)


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4))
@example([{"header": None}])
def test_lines_written_are_read_back(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    write_lines(path, HEADER, records)
    assert read_lines(path) == (HEADER, records)
    with LineWriter(path, HEADER) as writer:
        assert writer.done == records
        for record in records:
            writer.append(record)
    assert read_lines(path) == (HEADER, records + records)


def test_text_with_a_lone_surrogate_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with LineWriter(path, HEADER) as writer:
        writer.append({"text": "\ud800 é"})
    write_lines(tmp_path / "b.jsonl", HEADER, [{"text": "\ud800 é"}])
    assert read_lines(path)[1] == read_lines(tmp_path / "b.jsonl")[1] == [{"text": "\ud800 é"}]


def test_record_of_a_dataclass_is_its_fields() -> None:
    assert as_record(Point(1, (2, 3))) == {"x": 1, "y": (2, 3)}
    with pytest.raises(TypeError):
        as_record(Point)


@pytest.mark.parametrize("cut", range(1, 13))
def test_line_cut_by_a_kill_is_dropped_and_continued(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, HEADER, [{"index": 0}, {"index": 1}])
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_lines(path)[1] == [{"index": 0}]
    with LineWriter(path, HEADER) as writer:
        assert writer.done == [{"index": 0}]
        assert writer.replaced is None
        writer.append({"index": 1})
    assert read_lines(path) == (HEADER, [{"index": 0}, {"index": 1}])


def test_line_cut_inside_a_letter_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, HEADER, [{"text": "ok"}])
    with open(path, "ab") as file:
        file.write('{"text": "é'.encode()[:-1])
    assert read_lines(path)[1] == [{"text": "ok"}]


def test_header_cut_by_a_kill_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for whole in (b"", b'{"header": {"ki'):
        path.write_bytes(whole)
        with LineWriter(path, HEADER) as writer:
            assert writer.done == []
            writer.append({"index": 0})
        assert read_lines(path) == (HEADER, [{"index": 0}])
    assert left_beside(path) == []


def test_line_flushed_is_there_before_close(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    writer = LineWriter(path, HEADER)
    writer.append({"index": 0})
    assert read_lines(path)[1] == [{"index": 0}]
    writer.close()


def test_header_other_sets_the_file_aside_and_mixes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for number in (1, 2, 3):
        with LineWriter(path, {"fingerprint": str(number)}) as writer:
            assert writer.done == []
            assert (writer.replaced is None) == (number == 1)
            writer.append({"number": number})
    assert read_lines(path) == ({"fingerprint": "3"}, [{"number": 3}])
    assert read_lines(tmp_path / "a.jsonl.old-1") == ({"fingerprint": "1"}, [{"number": 1}])
    assert read_lines(tmp_path / "a.jsonl.old-2") == ({"fingerprint": "2"}, [{"number": 2}])


def test_file_without_header_is_set_aside_not_emptied(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"index": 0}\n{"index": 1}\n', encoding="utf-8")
    with LineWriter(path, HEADER) as writer:
        assert writer.done == []
        assert writer.replaced == tmp_path / "a.jsonl.old-1"
    assert read_lines(tmp_path / "a.jsonl.old-1")[1] == [{"index": 0}, {"index": 1}]


def test_header_with_tuples_equals_its_stored_form(tmp_path: Path) -> None:
    header = {"a": (1, 2), "b": {"c": (3,)}}
    for expected in ([], [{"index": 0}]):
        with LineWriter(tmp_path / "a.jsonl", header) as writer:
            assert writer.done == expected
            assert writer.replaced is None
            writer.append({"index": 0})


@pytest.mark.parametrize("broken", ["{", "3", "[1]", "nonsense", "\x00\x00"])
def test_line_broken_in_the_middle_is_an_error_with_its_number(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "a.jsonl"
    write_text(path, f'{{"header": {{}}}}\n{{"index": 0}}\n{broken}\n{{"index": 2}}\n')
    for read in (lambda: read_lines(path), lambda: LineWriter(path, HEADER)):
        with pytest.raises(DataError, match=r"a\.jsonl, line 3: "):
            read()
    assert path.read_text(encoding="utf-8").count("\n") == 4


def test_file_missing_names_the_file_and_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.jsonl: not there; run the stage"):
        read_lines(tmp_path / "a.jsonl")


def test_number_not_finite_is_refused_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, HEADER, [{"index": 0}])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        write_lines(path, HEADER, [{"index": 1}, {"loss": math.nan}])
    with LineWriter(path, HEADER) as writer, pytest.raises(ValueError, match="JSON compliant"):
        writer.append({"loss": math.inf})
    assert path.read_bytes() == before
    assert left_beside(path) == []


def test_iterator_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, HEADER, [{"index": 0}])

    def items() -> Any:
        yield {"index": 1}
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_lines(path, HEADER, items())
    assert read_lines(path)[1] == [{"index": 0}]
    assert left_beside(path) == []


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_disk_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"os.{failing}", fail)
    with pytest.raises(DataError, match=r"a\.txt: cannot be written \(No space left"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert left_beside(path) == []


def test_interruption_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert list(tmp_path.iterdir()) == []


def test_text_that_cannot_be_encoded_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.txt", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_folder_missing_is_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    with LineWriter(tmp_path / "d" / "e.jsonl", HEADER):
        pass
    assert read_lines(tmp_path / "d" / "e.jsonl") == (HEADER, [])


def test_set_aside_takes_the_first_free_name_also_for_folders(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "adapter").mkdir()
        assert set_aside(tmp_path / "adapter") == tmp_path / f"adapter.old-{number}"
    assert not (tmp_path / "adapter").exists()


def test_line_is_one_json_object_in_utf8(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", {}, [{"text": "a\nb\u2028é"}])
    lines = (tmp_path / "a.jsonl").read_bytes().split(b"\n")
    assert len(lines) == 3
    assert "é".encode() in lines[1]
    assert json.loads(lines[1]) == {"text": "a\nb\u2028é"}


def test_write_text_to_what_is_no_file_is_refused_and_replaces_nothing(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(DataError, match="not a file"):
            write_text(path, "text")
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_read_header_and_count_lines_do_not_parse_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert read_header(path) == {}
    assert count_lines(path) == 0
    path.write_bytes(b'{"header": {"fingerprint": "f"}}\n{"index": 0}\nno json at all\n{"index": 2')
    assert read_header(path) == {"fingerprint": "f"}
    assert count_lines(path) == 2
    path.write_bytes(b'{"index": 0}\n{"index": 1}\n')
    assert read_header(path) == {}
    assert count_lines(path) == 2


def test_read_damaged_lines_keeps_the_whole_ones_and_names_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"header": {}}\n{"index": 0}\n{"index": 1\n[2]\n{"index": 3}\n')
    header, records, faults = read_damaged_lines(path)
    assert (header, [record["index"] for record in records]) == ({}, [0, 3])
    assert faults == [
        "line 3: not JSON; delete the file to compute it again",
        "line 4: expected a JSON object",
    ]


def test_disk_absent_for_a_while_loses_and_repeats_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("paretune.disk.time.sleep", pauses.append)
    path = tmp_path / "a.jsonl"

    class Leaving:
        """A file of a share that takes half a line and is gone, once."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, line: bytes) -> int:
            self.file.write(line[: len(line) // 2])
            raise OSError(errno.EIO, "Input/output error")

        def close(self) -> None:
            self.file.close()

    with LineWriter(path, {"kind": "x"}) as writer:
        writer.append({"id": 1})
        monkeypatch.setattr(writer, "_file", Leaving(writer._file))
        writer.append({"id": 2})
        writer.append({"id": 3})
    assert read_lines(path)[1] == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert pauses == [1.0]


@pytest.mark.parametrize(("number", "attempts"), [(errno.ESTALE, 6), (errno.ENOSPC, 1)])
def test_disk_that_stays_absent_is_given_up_and_a_full_one_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, attempts: int
) -> None:
    monkeypatch.setattr("paretune.disk.time.sleep", lambda _: None)
    tried: list[int] = []

    def fail(*_: Any) -> None:
        tried.append(number)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(DataError, match="cannot be written"):
        write_text(tmp_path / "a.txt", "text")
    assert len(tried) == attempts
