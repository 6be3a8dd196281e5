"""Standard output and error on which nothing is an order to a build server."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class _Inert(io.TextIOWrapper):
    """A stream of which nothing orders anything of a build server, by whatever verb and library it is written."""

    def write(self, text: str, /) -> int:
        """Write the text, inert."""
        from appwitness.support import escape

        super().write(escape.inert(text))
        return len(text)


@contextmanager
def inert_streams() -> Iterator[None]:
    """Standard output and error as `_Inert`, while a verb runs."""
    before = sys.stdout, sys.stderr
    made = [
        _Inert(stream.buffer, stream.encoding, stream.errors, line_buffering=True, write_through=stream.write_through)
        if isinstance(stream, io.TextIOWrapper)
        else stream
        for stream in before
    ]
    sys.stdout, sys.stderr = made
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in made:
            if isinstance(stream, _Inert):
                with suppress(OSError, ValueError):
                    stream.flush()
                stream.detach()
