"""The person whose data is on a device during a run: planted for real, asked back, and removed again."""

from monitor.observe.android.persona.planting import NotPlanted, Planted, plant
from monitor.observe.android.persona.wanted import Persona, load, made

__all__ = ["NotPlanted", "Persona", "Planted", "load", "made", "plant"]
