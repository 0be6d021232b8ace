from __future__ import annotations

import pytest

from paretune.progress import progress_bar


def test_bar_shows_label_count_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("run-1: answers", 40, done=10) as advance:
        advance(10)
        advance(20)
    printed = capsys.readouterr()
    last = printed.err.replace("\r", "\n").strip().splitlines()[-1]
    assert printed.out == ""
    assert last.startswith("run-1: answers")
    assert "100%" in last
    assert "40/40" in last
    assert "left" in last


def test_bar_started_again_begins_where_the_work_is(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("x", 40, done=10):
        pass
    first = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[0]
    assert "25%" in first
    assert "10/40" in first


def test_bar_in_a_file_prints_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("x", 5000) as advance:
        for _ in range(5000):
            advance(1)
    lines = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()
    assert len(lines) <= 3


def test_bar_of_nothing_to_do_is_no_error() -> None:
    with progress_bar("x", 0) as advance:
        advance(0)


def test_bar_lets_errors_through() -> None:
    with pytest.raises(ZeroDivisionError), progress_bar("x", 3):
        raise ZeroDivisionError
