"""compare BASE TUNED: logs of others on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretune.cli import main
from paretune.report.page import plots


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for name, gained in (("base", 0), ("tuned", 15)):
        rows = [f"q{at},{int(at % 2 == 0 or at < 2 * gained)},t{at // 8},How much is {at}?" for at in range(120)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,correct,topic,question", *rows]) + "\n", encoding="utf-8")
    return str(tmp_path / "base.csv"), str(tmp_path / "tuned.csv")


def test_compare_logs_prints_tables_and_verdict(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files, "--margin", "2"]) == 0
    out = capsys.readouterr().out
    assert "What is claimed, in points against base" in out
    assert "VERDICT" in out
    assert "tuned against base: +12.5" in out
    assert "A loss of more than 2 points is ruled out." in out
    assert "the accuracy of a blind guess is unknown" in " ".join(out.split())


def test_compare_logs_html_and_out_are_written(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "image_bytes", lambda *_: b"<svg></svg>")
    page = tmp_path / "page" / "found.html"
    words = ["--cluster", "topic", "--html", str(page), "--out", str(tmp_path / "tables"), "--lang", "pt-BR"]
    assert main(["compare", *files, *words]) == 0
    text = page.read_text(encoding="utf-8")
    assert "base / tuned" in text
    assert 'id="data-choice"' in text
    assert 'id="data-sql"' not in text
    assert "choice.jsonl" not in text  # there are no files of ours to lead to
    assert (tmp_path / "tables" / "claims.csv").exists()
    assert not (tmp_path / "tables" / "tradeoff.csv").exists()
    assert "VEREDITO" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--budget", "2"], "--budget: only for an experiment or a run folder"),
        (["--margin", "0"], "--margin 0: expected points above 0"),
        (["--html", "page"], "expected the name of a file that ends in .html"),
        (["--cluster", "subject"], "no value in the cluster field 'subject' (fields: id, correct, topic, question)"),
        (["--lang", "xx"], "xx"),
    ],
)
def test_compare_logs_wrong_option_is_one_line(
    files: tuple[str, str], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_compare_one_folder_with_an_option_of_logs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(tmp_path), "--cluster", "topic"]) == 2
    assert "--cluster, --html: for logs" in capsys.readouterr().err
