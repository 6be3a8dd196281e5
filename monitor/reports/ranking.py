"""What a ranking over apps rests on, in words: how many could have shown something, and what is not counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.reports.words import Words


def basis(words: Words, able: tuple[int, int], gaps: int, left: Mapping[str, int]) -> Sequence[str]:
    """Sentences. `able`: apps and runs that could have shown it; `gaps`: how many of the runs have gaps; `left`: the
    runs that could not, by reason."""
    apps, runs = able
    said = [words("ranked_able", apps=words.count("ranked_apps", apps), runs=words.count("ranked_runs", runs))]
    if gaps:
        said.append(words("ranked_gaps", runs=words.count("ranked_runs", gaps)))
    if left:
        reasons = (
            f"{words.count('ranked_runs', count)}{words('space')}{words(f'ranked_{reason}')}"
            for reason, count in left.items()
        )
        said.append(words("ranked_left", reasons=words("semicolon").join(reasons)))
    return said
