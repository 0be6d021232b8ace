from __future__ import annotations

import json
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from paretune.errors import DataError
from paretune.sources.pairs import Columns, Pair, read_pairs

ROWS = [
    ("Quantos clientes há?", "SELECT count(*) FROM customer"),
    ("Nomes, em ordem?", "SELECT name FROM customer ORDER BY 1"),
]


def _plain(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.question, pair.query) for pair in pairs]


def _csv(path: Path, header: str, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    lines = [header, *(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def _xlsx(path: Path, rows: list[tuple[str, str]], *, shared: bool) -> Path:
    """A workbook as Excel writes it (shared texts) or as other programs do (texts in the cells)."""
    texts = [text for row in rows for text in row]
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = ""
        for column, text in zip("AB", row, strict=True):
            if shared:
                cells += f'<c r="{column}{number}" t="s"><v>{texts.index(text)}</v></c>'
            else:
                cells += f'<c r="{column}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
        lines.append(f'<row r="{number}">{cells}</row>')
    with zipfile.ZipFile(path, "w") as workbook:
        workbook.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
        if shared:
            items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
            workbook.writestr("xl/sharedStrings.xml", f"<sst {space}>{items}</sst>")
    return path


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-8-sig"), (";", "utf-16"), ("|", "utf-8")]
)
def test_csv_of_any_spreadsheet_is_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    file = _csv(tmp_path / "p.csv", f"Pergunta{delimiter}SQL", delimiter, encoding)
    pairs = read_pairs(file, Columns())
    assert _plain(pairs) == ROWS
    assert [pair.where for pair in pairs] == [f"{file}, line 2", f"{file}, line 3"]


def test_csv_line_counts_lines_within_cells(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text('question,sql\n"a\nb",SELECT 1\n\nc,SELECT 2\n')
    assert [pair.where[-6:] for pair in read_pairs(tmp_path / "p.csv", Columns())] == ["line 2", "line 5"]


@pytest.mark.parametrize("shared", [True, False])
def test_xlsx_is_read_with_its_row_numbers(tmp_path: Path, shared: bool) -> None:
    file = _xlsx(tmp_path / "p.xlsx", [("question", "query"), *ROWS], shared=shared)
    pairs = read_pairs(file, Columns())
    assert _plain(pairs) == ROWS
    assert [pair.where for pair in pairs] == [f"{file}, row 2", f"{file}, row 3"]


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_json_is_read(tmp_path: Path, ending: str) -> None:
    entries = [{"question": question, "SQL": query, "other": 1} for question, query in ROWS]
    text = json.dumps(entries) if ending == ".json" else "\n".join(json.dumps(entry) for entry in entries)
    (tmp_path / f"p{ending}").write_text(text)
    assert _plain(read_pairs(tmp_path / f"p{ending}", Columns())) == ROWS


def test_columns_are_named_or_recognised(tmp_path: Path) -> None:
    file = _csv(tmp_path / "p.csv", "frase,resposta")
    with pytest.raises(
        DataError, match=r"no column is called question or pergunta; columns: frase, resposta; .*--question"
    ):
        read_pairs(file, Columns())
    with pytest.raises(DataError, match="no column 'frases'; did you mean 'frase'"):
        read_pairs(file, Columns("frases", "resposta"))
    assert _plain(read_pairs(file, Columns("frase", "resposta"))) == ROWS


def test_split_column_says_the_side(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("question,sql,parte\na,SELECT 1,Treino\nb,SELECT 2,teste\nc,SELECT 3,both\n")
    with pytest.raises(DataError, match="line 4: 'parte' must be train or test, found 'both'"):
        read_pairs(tmp_path / "p.csv", Columns(split="parte"))
    (tmp_path / "p.csv").write_text("question,sql,parte\na,SELECT 1,Treino\nb,SELECT 2,teste\n")
    assert [pair.side for pair in read_pairs(tmp_path / "p.csv", Columns(split="parte"))] == ["train", "test"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", "question,sql\na,\n", "line 2: 'sql' is empty"),
        ("p.csv", "question,sql\n", "no pairs"),
        ("p.csv", "sql,sql\na,b\n", "two columns are called 'sql'"),
        ("p.csv", "question,sql\na,SELECT 1, 2\n", "3 cells in 2 columns; quote cells that hold ','"),
        ("p.csv", 'question,sql\n"a,b\n', "line 2: not CSV"),
        ("p.jsonl", '{"question": "a", "sql": "b"}\n{', "line 2: not JSON"),
        ("p.jsonl", "[1]\n", "line 1: expected an object"),
        ("p.json", "{}", "expected a list"),
        ("p.xlsx", "no zip", "not an Excel workbook"),
        ("p.ods", "x", "expected pairs in one of"),
    ],
)
def test_broken_files_are_refused_by_place(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        read_pairs(tmp_path / name, Columns())


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        read_pairs(tmp_path / "none.csv", Columns())
