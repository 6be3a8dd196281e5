"""Names of many lines in few bytes: a finding about a long run rests on a million."""

from __future__ import annotations

import base64
import binascii
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Self, overload, override

from pydantic_core import CoreSchema, core_schema

from appwitness.events import FILES, Ref
from appwitness.events.seen import number_of

LARGEST = (1 << 32) - 1
FEW = 20
"""Up to this many names are not packed."""
_FILES = tuple(FILES.values())
_INDEX = {file: index for index, file in enumerate(_FILES)}
"""Name of a file -> its index in _FILES."""
_PACKED = "packed:"
"""Prefix of the text form."""
Key = int | Ref
"""A name in the form that `key_of` returns."""
MOST_PACKED = 1 << 28
"""Maximum number of bytes that a text form may unpack to: the index may be a stranger's."""


class Refs(Sequence[Ref]):
    """Names of lines in a given order; equal to a sequence of the same names."""

    def __init__(self, refs: Iterable[Ref] = ()) -> None:
        self._files = bytearray()
        """For each line, the index of its file in _FILES."""
        self._numbers = array("I")
        """For each line, its number in the file."""
        self._others: tuple[Ref, ...] = ()
        """All names, if any of them has another form; `_files` and `_numbers` are then empty."""
        self._take(list(map(key_of, refs)))

    def _take(self, keys: Collection[Any]) -> None:
        try:
            self._files.extend([key >> 32 for key in keys])
        except TypeError:
            self._others = tuple(map(_named, keys))
        else:
            self._numbers.extend([key & LARGEST for key in keys])

    @override
    def __len__(self) -> int:
        return len(self._others or self._numbers)

    @overload
    def __getitem__(self, place: int) -> Ref: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Ref, ...]: ...
    @override
    def __getitem__(self, place: int | slice) -> Ref | tuple[Ref, ...]:
        if isinstance(place, slice):
            return tuple(map(self.__getitem__, range(*place.indices(len(self)))))
        if self._others:
            return self._others[place]
        return f"{_FILES[self._files[place]]}:{self._numbers[place]}"

    @override
    def __iter__(self) -> Iterator[Ref]:
        return iter(self._others) if self._others else map(self.__getitem__, range(len(self)))

    @override
    def __contains__(self, ref: object) -> bool:
        key = key_of(ref) if isinstance(ref, str) else ""
        if isinstance(key, str) or self._others:
            return ref in self._others
        numbers, number = self._sorted.get(key >> 32, ()), key & LARGEST
        place = bisect_left(numbers, number)
        return place < len(numbers) and numbers[place] == number

    @cached_property
    def _sorted(self) -> Mapping[int, Sequence[int]]:
        """Index of a file -> the numbers of its lines, ascending."""
        found: dict[int, array[int]] = {}
        files = dict.fromkeys(self._files)
        for file in files:
            of = (n for at, n in zip(self._files, self._numbers, strict=True) if at == file)
            numbers = self._numbers if len(files) == 1 else array("I", of)
            ascending = all(number <= later for number, later in pairwise(numbers))
            found[file] = numbers if ascending else array("I", sorted(numbers))
        return found

    def by_file(self) -> dict[str, Sequence[int]]:
        """Name of a file -> the numbers of its lines, ascending; the file of the first line comes first."""
        if not self._others:
            return {_FILES[file]: numbers for file, numbers in self._sorted.items()}
        found: dict[str, list[int]] = {}
        for ref in self._others:
            found.setdefault(ref.rpartition(":")[0], []).append(number_of(ref))
        return {file: sorted(numbers) for file, numbers in found.items()}

    @override
    def __eq__(self, other: object) -> bool:
        if isinstance(other, Refs) and not (self._others or other._others):
            return self._files == other._files and self._numbers == other._numbers
        return isinstance(other, Sequence) and not isinstance(other, str) and tuple(self) == tuple(other)

    @override
    def __hash__(self) -> int:
        return hash(tuple(self))

    @override
    def __repr__(self) -> str:
        return f"Refs({tuple(self)!r})"

    def packed(self) -> str | tuple[Ref, ...]:
        """The names packed into a text of about two bytes each, which `of` unpacks; up to FEW names as they are."""
        if self._others or len(self) <= FEW:
            return tuple(self)
        steps = array("q", (later - number for number, later in pairwise((0, *self._numbers))))
        if sys.byteorder == "big":
            steps.byteswap()
        data = base64.b64encode(zlib.compress(bytes(self._files) + steps.tobytes())).decode()
        return f"{_PACKED}{','.join(_FILES)}:{data}"

    @classmethod
    def distinct(cls, keys: Iterable[Key]) -> Self:
        """The names with these keys without repetitions, in order of their first occurrence."""
        made = cls()
        made._take(dict.fromkeys(keys))
        return made

    @classmethod
    def of(cls, given: object) -> Self:
        """Names in any of these forms: a sequence, or what `packed` returned. Raises ValueError for anything else."""
        if isinstance(given, cls):
            return given
        if isinstance(given, str) and given.startswith(_PACKED):
            return cls._unpacked(given.removeprefix(_PACKED))
        if isinstance(given, list | tuple) and all(isinstance(ref, str) for ref in given):
            return cls(given)
        raise ValueError("names of lines were expected")

    @classmethod
    def _unpacked(cls, text: str) -> Self:
        names, _, packed = text.partition(":")
        made, steps = cls(), array("q")
        try:
            unpacking = zlib.decompressobj()
            data = unpacking.decompress(base64.b64decode(packed, validate=True), MOST_PACKED)
            count = len(data) // 9
            steps.frombytes(data[count:])
            if sys.byteorder == "big":
                steps.byteswap()
            here = bytes(_INDEX[name] for name in names.split(","))
            made._files += bytes(here[file] for file in data[:count])
            made._numbers.extend(accumulate(steps))
            if len(made._files) != len(made._numbers) or not unpacking.eof:
                raise ValueError("it was cut off")
        except (binascii.Error, zlib.error, LookupError, OverflowError, ValueError) as error:
            raise ValueError("packed names of lines were expected") from error
        return made

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        def said(refs: Self, info: core_schema.SerializationInfo) -> Any:
            return refs.packed() if (info.context or {}).get("packed") else tuple(refs)

        return core_schema.no_info_plain_validator_function(
            cls.of, serialization=core_schema.plain_serializer_function_ser_schema(said, info_arg=True)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: object) -> dict[str, Any]:
        return {"items": {"type": "string"}, "type": "array"}


def key_of(ref: Ref) -> Key:
    """The name as one number: the index of its file, then 32 bits for its line; a name of another form as it is."""
    file, _, number = ref.rpartition(":")
    index = _INDEX.get(file)
    if index is None or not (number.isascii() and number.isdecimal()) or number[0] == "0" or len(number) > 10:
        return ref
    line = int(number)
    return index << 32 | line if line <= LARGEST else ref


def _named(key: Key) -> Ref:
    return key if isinstance(key, str) else f"{_FILES[key >> 32]}:{key & LARGEST}"
