"""Where recordings are kept: a folder. One is complete when its marker is there, which can be made only once."""

from __future__ import annotations

import shutil
from pathlib import Path

from monitor import private


class Objects:
    """The recordings of a fleet in a folder that every host sees."""

    def __init__(self, place: str | Path) -> None:
        self.place = Path(place).absolute()
        private.folder(self.place)

    def put(self, recording: str, folder: Path) -> None:
        """Keep a recording; `folder` is no longer used."""
        target, part = self.place / recording, self.place / f".{recording}.part"
        for left in (target, part):  # by an attempt that was killed here
            if left.exists() and not self._marker(recording).exists():
                shutil.rmtree(left)
        shutil.move(folder, part)
        part.rename(target)

    def complete(self, recording: str) -> bool:
        """Say that it is whole; False: that was said before."""
        try:
            self._marker(recording).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def get(self, recording: str) -> Path:
        """Its folder."""
        return self.place / recording

    def list(self, prefix: str) -> list[str]:
        """The complete recordings whose names begin so."""
        return sorted(path.name.removesuffix(".complete") for path in self.place.glob(f"{prefix}*.complete"))

    def _marker(self, recording: str) -> Path:
        return self.place / f"{recording}.complete"
