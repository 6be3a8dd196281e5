"""Where a finding is known from, by its fingerprint: recordings that show it, and the baseline that lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.gating import beside

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging
    from appwitness.reports.fingerprint import FingerprintPlace


def in_recordings(
    fingerprint: str, recordings: Sequence[Path], judging: Judging, aliases: Mapping[str, str]
) -> Iterator[FingerprintPlace]:
    """The findings of recordings that have a fingerprint, `v2:...`. Raises UserError for what is no recording.

    `aliases`: package -> the one that it stands for.
    """
    from appwitness.reports.fingerprint import shown

    for path in recordings:
        yield from shown(judging.report(path), fingerprint, aliases, str(path))


def in_baseline(fingerprint: str, baseline: Path | None = None) -> Iterator[FingerprintPlace]:
    """The lines of a baseline that have a fingerprint; None: appwitness-baseline.yml beside, where there is one.

    Raises FileError with the line that does not fit.
    """
    from appwitness.catalog import yaml_files
    from appwitness.gate import baseline as files
    from appwitness.reports.fingerprint import listed

    path = beside(baseline, files.NAME)
    if path is None:
        return
    file = files.read(path)
    for behaviour, line in zip(file.findings, yaml_files.lines_of(path, "findings"), strict=True):
        if behaviour.id == fingerprint:
            yield listed(behaviour, file.app, f"{path}:{line}")
