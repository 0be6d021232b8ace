"""Write the golden files again: `python -m tests.golden.renew [SECTION ...]`; without a section, all of them."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.golden.collect import COLLECTORS

FILES = Path(__file__).resolve().parent / "files"


def renew(section: str) -> None:
    """Replace one section by what the program does now."""
    with tempfile.TemporaryDirectory() as scratch:
        texts = COLLECTORS[section](Path(scratch))
    shutil.rmtree(FILES / section, ignore_errors=True)
    for name, text in texts.items():
        path = FILES / section / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def main(sections: Sequence[str]) -> None:
    """Renew the named sections."""
    unknown = [name for name in sections if name not in COLLECTORS]
    if unknown:
        sys.exit(f"no section {', '.join(unknown)}; there are {', '.join(COLLECTORS)}")
    for section in sections or COLLECTORS:
        renew(section)
        print(f"renewed {section}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
