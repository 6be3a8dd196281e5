"""Loads the compiled search (`index/` and `sieve/`), without which nothing can be searched."""

from __future__ import annotations

import ctypes
import weakref
from array import array
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

LIBRARY = __file__[: -len("library.py")] + "libsearch.so"
"""Built by `hatch_build.py`."""
SEARCH_ABI, ROW_FIELDS = 2, 3
"""The same as in `shared.h`, which says when to increase the first."""

_POINTER, _BYTES, _SIZE, _SLOT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_uint32
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "search_abi": (ctypes.c_int,),
    "table_new": (_POINTER,),
    "table_free": (None, _POINTER),
    "table_put_words": (ctypes.c_bool, _POINTER, _BYTES, _SIZE, _SLOT),
    "table_find_words": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "table_find_anywhere": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "table_put_texts": (ctypes.c_bool, _POINTER, _BYTES, _POINTER, _SIZE, _SLOT),
    "table_find_texts": (_SIZE, _POINTER, _BYTES, _POINTER, _SIZE, _POINTER, _SIZE),
    "grams_new": (_POINTER, _POINTER),
    "grams_free": (None, _POINTER),
    "grams_add": (ctypes.c_int, _POINTER, _BYTES, ctypes.c_int, _SLOT, ctypes.c_bool),
    "grams_add_all": (ctypes.c_bool, _POINTER, _BYTES, _POINTER, _SIZE, _SLOT),
    "grams_find": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "packed_new": (_POINTER,),
    "packed_free": (None, _POINTER),
    "packed_add": (ctypes.c_bool, _POINTER, *(4 * (ctypes.c_double,)), _POINTER),
    "packed_find": (_SIZE, _POINTER, _BYTES, _SIZE, _POINTER, _SIZE),
    "sieve_new": (_POINTER, *(6 * (_POINTER,))),
    "sieve_free": (None, _POINTER),
    "sieve_add_head": (ctypes.c_bool, _BYTES, _SIZE),
    "sieve_add_words": (ctypes.c_bool, _POINTER, _BYTES, _POINTER, _SIZE),
    "sieve_add_place": (ctypes.c_bool, _POINTER, ctypes.c_double, ctypes.c_double),
    "sieve_add_short": (None, _POINTER, _BYTES, _SIZE),
    "sieve_read": (ctypes.c_bool, _POINTER, _POINTER, _SIZE, _SIZE, ctypes.c_bool, _POINTER),
    "plain_lines": (ctypes.c_bool, _BYTES, _SIZE),
    "sieve_stretch": (ctypes.c_bool, _POINTER, _BYTES, _SIZE, ctypes.c_bool),
}
"""Name -> return type, argument types. Other threads run during a call."""


def load(path: str) -> ctypes.CDLL:
    """The compiled part in a file. Raises UserError if it is missing, or of another version than this module."""
    try:
        found = ctypes.CDLL(path)
    except OSError as error:
        raise UserError(
            Spoken("The compiled part of the search cannot be loaded: {error}.", error=error), BUILD
        ) from None
    try:
        for name, (returns, *takes) in FUNCTIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = returns, takes
        abi = found.search_abi()
    except AttributeError:
        abi = None
    if abi != SEARCH_ABI:
        raise UserError(Spoken("{path} is from another version of appwitness.", path=path), BUILD)
    return found


BUILD = Spoken(
    "Reinstall appwitness, or run `make setup` in a checkout; both need a C compiler if there is no wheel for this"
    " platform."
)

library = load(LIBRARY)


def owned(owner: object, handle: int | None, free: Callable[[int], None]) -> int:
    """An object of the compiled part, which is freed with its owner. Raises MemoryError if it could not be made."""
    if handle is None:
        raise MemoryError
    weakref.finalize(owner, free, handle).atexit = False
    return handle


class FoundSlot(NamedTuple):
    """Something that was looked up and found."""

    slot: int
    start: int
    """Where in the bytes, or the number of the word."""
    size: int


def rows(fill: Callable[[int, int], int], most: int = 512) -> Iterator[FoundSlot]:
    """The rows that `fill` writes to an address with room for `most` rows; `fill` returns how many there are, and is
    called again if there was not enough room."""
    while True:
        room = array("q", bytes(8 * ROW_FIELDS * most))
        found = fill(room.buffer_info()[0], most)
        if not found:
            return iter(())
        if found <= most:
            numbers = room[: ROW_FIELDS * found].tolist()
            return map(FoundSlot, *(numbers[field::ROW_FIELDS] for field in range(ROW_FIELDS)))
        most = found
