"""The person whose data is on a device during a run: planted for real, asked back, and removed again."""

from monitor.observe.android.persona.identifiers import Found, counts, found
from monitor.observe.android.persona.place import KeptPlace, keep_place
from monitor.observe.android.persona.planting import NotPlanted, Planted, plant
from monitor.observe.android.persona.wanted import Persona, load, made

__all__ = [
    "Found",
    "KeptPlace",
    "NotPlanted",
    "Persona",
    "Planted",
    "counts",
    "found",
    "keep_place",
    "load",
    "made",
    "plant",
]
