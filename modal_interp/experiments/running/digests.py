"""A digest of any value: equal where values are equal, in every process, and nowhere else."""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Any

from modal_interp.experiments.running.object_parts import NoValueError
from modal_interp.experiments.running.value_parts import parts_of

_LENGTH = 12


def digest(value: Any) -> str:
    """Return a digest of a value, the same in every process.

    Values count, not how they lie in memory: neither which parts are one object, nor the order of
    sets and dicts. NaN equals NaN; 0.0 and -0.0, 1 and 1.0, a list and a tuple differ.

    Raises
    ------
    NoValueError
        If the value holds what cannot be told from others, naming its kind and place.
    """
    return f"digest {code_digest(value)}"


def code_digest(value: Any) -> str:
    """Return the digest alone."""
    try:
        return _Digests().of(value).hex()[:_LENGTH]
    except RecursionError:
        raise NoValueError("values nested too deeply") from None


class _Digests:
    """Digests of a value and its parts, found once each; what holds itself is closed by a number.

    Of each part the digest is made of those of its own parts, so that it does not matter which of
    them are one object and which are equal ones, as strings are that Python keeps once or twice.
    """

    def __init__(self) -> None:
        self.found: dict[int, tuple[Any, bytes]] = {}  # with the value, which keeps its id taken
        self.open: dict[int, int] = {}
        self.kinds: list[str] = []
        self.lowest = math.inf  # the outermost open value that the current one refers to

    def of(self, value: Any) -> bytes:
        """Return the digest."""
        if (content := _plain(value)) is not None:
            return hashlib.sha256(content).digest()
        key, depth, outer = id(value), len(self.open), self.lowest
        if key in self.found:
            return self.found[key][1]
        if key in self.open:
            self.lowest = min(self.lowest, self.open[key])
            return hashlib.sha256(b"back %d" % (depth - self.open[key])).digest()
        self.open[key], self.lowest = depth, math.inf
        self.kinds.append(type(value).__name__)
        found = self._whole(value)
        self.kinds.pop()
        del self.open[key]
        if self.lowest >= depth:  # it refers to nothing around it
            self.found[key] = value, found
            self.lowest = outer
        self.lowest = min(self.lowest, outer)
        return found

    def _whole(self, value: Any) -> bytes:
        try:
            kind, content, ordered, unordered = parts_of(value)
        except NoValueError as error:
            inside = ", in a ".join(reversed(self.kinds[:-1]))
            raise NoValueError(f"{error}{f', in a {inside}' if inside else ''}") from error
        whole = hashlib.sha256(f"{kind}\0{len(content)}\0{len(ordered)}\0".encode())
        whole.update(content)
        for part in ordered:
            whole.update(self.of(part))
        for found in sorted(self.of(part) for part in unordered):
            whole.update(found)
        return whole.digest()


def _plain(value: Any) -> bytes | None:
    """Return what tells a value without parts apart, None for others."""
    kind = type(value)
    if kind is str:
        return b"str" + value.encode("utf-8", "surrogatepass")
    if kind is float:
        return b"float" + (b"nan" if math.isnan(value) else struct.pack("<d", value))
    if value is None or value is Ellipsis or value is NotImplemented or kind is bool:
        return f"constant {value}".encode()
    if kind is int:
        return b"int" + hex(value).encode()
    if kind in (bytes, bytearray, memoryview):
        return kind.__name__.encode() + b" " + bytes(value)
    if kind is complex:
        return b"complex" + b"".join(_plain(part) or b"" for part in (value.real, value.imag))
    return None
