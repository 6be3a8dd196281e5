"""The door to the compiled part of the search, `index/` and `sieve/`; where it was not built, all works, slower."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

LIBRARY = "libsearch.so"
"""Beside this module; `hatch_build.py` builds it."""

_POINTER, _BYTES, _SIZE, _SLOT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_uint32
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "table_new": (_POINTER,),
    "table_free": (None, _POINTER),
    "table_put_words": (ctypes.c_bool, _POINTER, _BYTES, _SIZE, _SLOT),
    "table_find_words": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "table_find_anywhere": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "table_find_texts": (_SIZE, _POINTER, _BYTES, _POINTER, _SIZE, _POINTER, _SIZE),
    "cells_add": (
        *(ctypes.c_bool, _POINTER, _POINTER, ctypes.c_double, ctypes.c_double, ctypes.c_int),
        *(_BYTES, _POINTER, _SIZE, _SLOT),
    ),
    "grams_new": (_POINTER, _POINTER),
    "grams_free": (None, _POINTER),
    "grams_add": (ctypes.c_int, _POINTER, _BYTES, ctypes.c_int, _SLOT, ctypes.c_bool),
    "grams_add_all": (ctypes.c_bool, _POINTER, _BYTES, _POINTER, _SIZE, _SLOT),
    "grams_find": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "packed_new": (_POINTER,),
    "packed_free": (None, _POINTER),
    "packed_add": (ctypes.c_bool, _POINTER, *(4 * (ctypes.c_double,)), _POINTER),
    "packed_find": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "forms_add": (_SIZE, _POINTER, _POINTER, _POINTER, _BYTES, _POINTER, _SIZE, _SLOT),
    "sieve_new": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "sieve_free": (None, _POINTER),
    "sieve_add_head": (ctypes.c_bool, _BYTES, _SIZE),
    "sieve_add_words": (ctypes.c_bool, _POINTER, _BYTES, _POINTER, _SIZE),
    "sieve_add_short": (None, _POINTER, _BYTES, _SIZE),
    "sieve_read": (ctypes.c_bool, _POINTER, _POINTER, _SIZE, _SIZE, ctypes.c_bool, _POINTER),
    "plain_lines": (ctypes.c_bool, _BYTES, _SIZE),
    "sieve_stretch": (ctypes.c_bool, _POINTER, _BYTES, _SIZE, ctypes.c_bool),
}
"""Name -> what it returns, what it takes."""


def _load(path: str = __file__[: -len("library.py")] + LIBRARY) -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(path)
    except OSError:
        return None
    for name, (returns, *takes) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returns, takes
    return library


library = _load()
"""None where it was not built. A call lets other threads run."""


def loaded() -> str | None:
    """The file of the compiled part; None where it was not built."""
    return library._name if library else None


class Row(NamedTuple):
    """Something that was looked up and found."""

    slot: int
    start: int
    """Where in the bytes, or which of the words."""
    size: int


def rows(fill: Callable[[int, int], int], most: int = 512) -> Iterator[Row]:
    """What a function writes to an address with room for so many rows; it says how many rows there would be."""
    while True:
        room = array("q", bytes(24 * most))
        found = fill(room.buffer_info()[0], most)
        if found <= most:
            numbers = room[: 3 * found].tolist()
            return map(Row, numbers[::3], numbers[1::3], numbers[2::3])
        most = found
