"""RAR archives of stored files, written here: no free program packs them. Format: RAR 2.9, blocks with checksums."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

_MARKER = b"Rar!\x1a\x07\x00"
_ARCHIVE, _FILE, _END = 0x73, 0x74, 0x7B
_LONG_BLOCK, _SKIP_IF_UNKNOWN = 0x8000, 0x4000
_UNIX, _VERSION, _STORED = 3, 29, 0x30


def rar_of(entries: Mapping[str, bytes], archive: Path, mode: int = stat.S_IFREG | 0o644) -> Path:
    """Pack the entries, all with the same mode: S_IFLNK makes links to what their content names."""
    blocks = [_MARKER, _block(_ARCHIVE, 0, b"\0" * 6)]
    for name, content in entries.items():
        packed_name = name.replace("/", "\\").encode()
        fields = struct.pack(
            "<IIBIIBBHI", len(content), len(content), _UNIX, zlib.crc32(content), 0x58000000, _VERSION, _STORED,
            len(packed_name), mode,
        )  # fmt: skip
        blocks += [_block(_FILE, _LONG_BLOCK, fields + packed_name), content]
    blocks.append(_block(_END, _SKIP_IF_UNKNOWN, b""))
    archive.write_bytes(b"".join(blocks))
    return archive


def _block(kind: int, flags: int, fields: bytes) -> bytes:
    body = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body
