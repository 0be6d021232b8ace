"""A report page as text that can be compared line by line: what a reader sees, and a digest of each of its parts."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

_UNSEEN = {"script", "style", "svg"}
_INLINE = {"a", "span", "em", "strong", "code", "b", "i"}
_SPOKEN = ("aria-label", "title", "data-say")
_DRAWING = re.compile(r"<svg.*?</svg>", re.DOTALL)
_PROGRAM = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)
_LABEL = re.compile(r"<text[^>]*>(.*?)</text>", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def outline(page: str) -> str:
    """The text of a page, one element per line, cells of a row joined; then the words of its drawings, one line each,
    and those that its scripts may show.

    Paths and numbers of drawings are left out: they belong to a version of matplotlib.
    """
    reader = _Reader()
    reader.feed(_DRAWING.sub("", page))
    reader.close()
    settings = json.dumps(_programs(page)["settings"], ensure_ascii=False, sort_keys=True, indent=1)
    drawings = [_words_of(drawing) for drawing in _DRAWING.findall(page)]
    parts = [*reader.lines(), "", "words of the drawings:", *drawings, "", "settings of the scripts:", settings]
    return "\n".join([*parts, ""])


def digests(page: str) -> str:
    """One digest per part of a page: markup without drawings, style, scripts, and each table of the embedded data."""
    bare = _DRAWING.sub("<svg/>", page)
    parts: dict[str, Any] = {
        "markup": _PROGRAM.sub("<script/>", _STYLE.sub("<style/>", bare)),
        "drawings": len(_DRAWING.findall(page)),
        "style": _STYLE.findall(bare),
    }
    for name, value in _programs(page).items():
        if isinstance(value, dict):
            parts |= {f"{name}.{key}": part for key, part in value.items()}
        else:
            parts[name] = value
    return "".join(f"{name} {part if name == 'drawings' else digest(part)}\n" for name, part in parts.items())


def digest(value: Any) -> str:
    """SHA-256 of a JSON value's plainest form, shortened to 16 digits."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _words_of(drawing: str) -> str:
    words = (re.sub(r"<[^>]*>|\s+", " ", text).strip() for text in _LABEL.findall(drawing))
    return " | ".join(word for word in words if re.search(r"[^\W\d]", word))


def _programs(page: str) -> dict[str, Any]:
    """Every script element's content by its id: embedded data unpacked, since its compression belongs to zlib."""
    programs: dict[str, Any] = {}
    for attributes, text in _PROGRAM.findall(page):
        identity = re.search(r'id="([^"]+)"', attributes)
        if "octet-stream" in attributes:
            value: Any = json.loads(gzip.decompress(base64.b64decode(text)))
        else:
            value = json.loads(text) if "json" in attributes else text
        programs[identity[1] if identity else "scripts"] = value
    return programs


class _Reader(HTMLParser):
    """Collects the visible text; a block element begins a line."""

    def __init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._unseen = 0

    def lines(self) -> list[str]:
        """Lines without empty ones."""
        cleaned = (" ".join(line.split()) for line in "".join(self._text).split("\n"))
        return [line for line in cleaned if line.strip("| ")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        if self._unseen:
            return
        if tag in ("td", "th"):
            self._text.append(" | ")
        elif tag not in _INLINE:
            self._text.append(f"\n{'#' * int(tag[1])} " if re.fullmatch("h[1-6]", tag) else "\n")
        spoken = [f"[{name}: {value}] " for name, value in attrs if name in _SPOKEN]
        self._text.extend(spoken)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen -= 1
        elif not self._unseen and tag not in {*_INLINE, "td", "th"}:
            self._text.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._text.append(re.sub(r"\s+", " ", data))
