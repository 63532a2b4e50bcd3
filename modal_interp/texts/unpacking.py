"""Opens a file unpacked; its first bytes tell what it was packed by, not its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

_PACKED: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"PK\x03\x04": lambda path: _only_member(path),
    b"PK\x05\x06": lambda path: _only_member(path),  # an archive without members
}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def open_unpacked(path: Path) -> io.BufferedReader:
    """Open a file, or what was packed into it by gzip, bzip2, xz, or zip as its only member.

    Raises
    ------
    ValueError
        If a zip archive has no member, several, or a password.
    """
    with path.open("rb") as file:
        unpack = _unpacker(file.read(6))
    return path.open("rb") if unpack is None else io.BufferedReader(unpack(path))


def is_packed(start: bytes) -> bool:
    """Tell by its first bytes whether a file is packed."""
    return _unpacker(start) is not None


def _unpacker(start: bytes) -> Any:
    return next((unpack for magic, unpack in _PACKED.items() if start.startswith(magic)), None)


def _only_member(path: Path) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        names = [
            member.filename
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        ]
        if len(names) != 1:
            shown = ", ".join(map(repr, names[:5])) or "nothing"
            raise ValueError(
                f"a zip archive must hold one file, it holds {shown}: unpack it and name the one "
                "that has the vectors"
            )
        try:
            return archive.open(names[0])
        except RuntimeError as error:  # a password, or a way of packing that is not known
            raise ValueError(f"a zip archive that cannot be unpacked here: {error}") from error
