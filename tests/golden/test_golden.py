"""Everything a user sees, against stored files: a change of it is made on purpose or not at all.

After a change that is meant, write the files again and read their difference in git before you commit it:

    python -m tests.golden.renew                # all
    python -m tests.golden.renew simulated-6    # one section
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.golden.collect import COLLECTORS, Texts
from tests.golden.renew import FILES

MOST_LINES = 60
LONGEST_LINE = 240


def stored(section: str) -> Texts:
    folder = FILES / section
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in files}


def difference(section: str, golden: Texts, now: Texts) -> str:
    """Names of the files that differ, the first lines of a unified diff, and how to renew; empty when all agree."""
    names = [name for name in sorted(golden.keys() | now.keys()) if golden.get(name) != now.get(name)]
    if not names:
        return ""
    lines: list[str] = []
    for name in names:
        before, after = golden.get(name, "").splitlines(), now.get(name, "").splitlines()
        lines += difflib.unified_diff(before, after, f"stored/{name}", f"now/{name}", lineterm="", n=1)
    cut = [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in lines[:MOST_LINES]]
    more = [f"… and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
    renewed = f"If that is meant: python -m tests.golden.renew {section}, and read the difference in git."
    return "\n".join([f"{section} differs in {', '.join(names)}", *cut, *more, renewed])


@pytest.mark.parametrize("section", COLLECTORS)
def test_what_a_user_sees_is_what_is_stored(section: str, tmp_path: Path) -> None:
    found = difference(section, stored(section), COLLECTORS[section](tmp_path))
    if found:
        pytest.fail(found, pytrace=False)


def test_difference_names_files_shows_lines_and_says_how_to_renew() -> None:
    golden = {"same.txt": "a\n", "gone.txt": "b\n", "long.txt": "".join(f"{n}\n" for n in range(200))}
    text = difference("help", golden, {"same.txt": "a\n", "long.txt": "x\n", "new.txt": "y\n"})
    assert "help differs in gone.txt, long.txt, new.txt" in text
    assert "-b" in text.splitlines()
    assert text.count("\n") <= MOST_LINES + 2
    assert text.endswith("python -m tests.golden.renew help, and read the difference in git.")
    assert difference("help", golden, dict(golden)) == ""
