"""What the stand-in device remembers, in a file that its commands share and the test reads."""

from __future__ import annotations

import fcntl
import json
import os
from typing import Any

FILE = "/data/rig/state.json"


class State(dict[str, Any]):
    """A dict that is read when it is entered and written when it is left, one command at a time."""

    def __enter__(self) -> State:
        self._file = os.open(FILE, os.O_RDWR)
        self._locked = True
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self.update(json.loads(os.read(self._file, 1 << 24)))
        self._was = json.dumps(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        os.close(self._file)

    def release(self) -> None:
        """Write, and let other commands go on: for a command that waits for one."""
        if self._locked and (now := json.dumps(self)) != self._was:
            os.lseek(self._file, 0, os.SEEK_SET)
            os.ftruncate(self._file, 0)
            os.write(self._file, now.encode())
        self._locked = False
        fcntl.flock(self._file, fcntl.LOCK_UN)
