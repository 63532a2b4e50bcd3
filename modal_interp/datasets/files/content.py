"""What a file holds when it is unpacked, and of which kind that is, told by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

_PACKED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
}
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
# What is sometimes handed over in place of a table, by its first bytes.
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "a file packed by zstd: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel file, or one with a password: save it as .xlsx or .csv",
    b"%PDF": "a PDF file: save the table as .csv",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x80\x02": "a pickle, which could run any code: save it as .csv or .parquet",
    b"\x80\x03": "a pickle, which could run any code: save it as .csv or .parquet",
    b"\x80\x04": "a pickle, which could run any code: save it as .csv or .parquet",
    b"\x80\x05": "a pickle, which could run any code: save it as .csv or .parquet",
    b"SQLite format 3": "a data base: export the table as .csv",
}


def read_content(path: Path) -> tuple[bytes, str | None]:
    """Return what a file holds, unpacked, and how it was packed.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, holds several files, or is no table at all.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"--data must be a file; found {str(path)!r}, which is none.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"{path} must be a CSV file; it cannot be read ({reason}).") from error
    packed = None
    for magic, (name, unpack) in _PACKED.items():
        if content.startswith(magic):
            content, packed = _unpacked(path, name, unpack, content), name
            break
    # The second is how an archive without members begins.
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")) and not is_workbook(content):
        content, packed = _unpacked(path, "zip", _only_member, content), "zip"
    _check_kind(path, content)
    return content, packed


def is_workbook(content: bytes) -> bool:
    """Tell whether a zip archive is an Excel file."""
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except _DAMAGED:
        return False


def is_parquet(content: bytes) -> bool:
    """Tell whether these are the bytes of a Parquet file."""
    return content.startswith(b"PAR1")


def _unpacked(path: Path, name: str, unpack: Callable[[bytes], bytes], content: bytes) -> bytes:
    try:
        return unpack(content)
    except RuntimeError as error:  # of zipfile: a password; of ours: several members
        raise ValueError(f"{path} must be a {name} file of one table; {error}.") from error
    except (*_DAMAGED, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"{path} must be a whole {name} file; it is damaged ({reason}). Fetch or pack it again."
        ) from error


def _only_member(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and not info.filename.endswith(".DS_Store")
        ]
        if len(names) != 1:
            shown = ", ".join(map(repr, names[:5])) or "nothing"
            raise RuntimeError(f"found {shown}: unpack it and name one file")
        return archive.read(names[0])


def _check_kind(path: Path, content: bytes) -> None:
    kinds = [kind for magic, kind in _OTHERS.items() if content.startswith(magic)]
    if content[257:262] == b"ustar":
        kinds = ["a tar archive: unpack it first"]
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html")):
        kinds = ["a web page: look at the address that it was fetched from"]
    if kinds:
        raise ValueError(f"{path} must hold a table; it is {kinds[0]}.")
