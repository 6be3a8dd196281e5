"""The person whose data is on a device during a run: planted for real, asked back, and removed again."""

from appwitness.devices.android.persona.identifiers import FoundIdentifiers, counts, found
from appwitness.devices.android.persona.place import KeptPlace, keep_place
from appwitness.devices.android.persona.planting import NotPlanted, Planted, plant
from appwitness.devices.android.persona.profile import Persona, load, made

__all__ = [
    "FoundIdentifiers",
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
