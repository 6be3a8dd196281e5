"""The person whose data is on a device during a run: planted for real, asked back, and removed again."""

from appwitness.observe.android.persona.identifiers import Found, counts, found
from appwitness.observe.android.persona.place import KeptPlace, keep_place
from appwitness.observe.android.persona.planting import NotPlanted, Planted, plant
from appwitness.observe.android.persona.wanted import Persona, load, made

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
