"""The persona of one run: planted before the app is installed, or read from what the device already has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from appwitness.devices.android.control import Control
from appwitness.devices.android.persona.content import ProviderRefused
from appwitness.devices.android.persona.identifiers import counts, found
from appwitness.devices.android.persona.place import KeptPlace
from appwitness.devices.android.persona.planting import plant
from appwitness.devices.android.persona.profile import load, made
from appwitness.events import Value
from appwitness.support.spoken import Spoken

ORDINARY = ("device_model_os", "carrier")
"""Data types that occur in nearly every upload: they prove nothing unless a read of them was seen."""


class OnDevice:
    """The values known to be on the device, for one of its users."""

    def __init__(self, control: Control, user: int) -> None:
        self._control = control
        self._user = user
        self._planted: tuple[Value, ...] = ()
        self._found: tuple[Value, ...] = ()
        self._clip: str | None = None
        """The text for the clipboard, until something can put it there."""
        self.place: KeptPlace | None = None
        """The location that must be sent to the device again and again during the run."""

    @property
    def values(self) -> tuple[Value, ...]:
        """The planted values as the device returned them; if none were planted, the values found on it."""
        return self._planted or self._found

    @property
    def origin(self) -> Literal["planted", "declared"] | None:
        """Whether the values were planted, or found on the device."""
        return "planted" if self._planted else "declared" if self._found else None

    def plant(self, file: Path | None) -> None:
        """Plant the persona in `file`, or one generated for the run; what cannot be planted is noted. Raises
        DeviceFault."""
        notes = self._control.notes
        if there := {name: count for name, count in counts(self._control, user=self._user).items() if count}:
            said = ", ".join(f"{count} {name}" for name, count in there.items())
            notes.append(Spoken("the device had data of its owner's before the run: {said}", said=said))
        persona = load(file) if file else made(self._control.run)
        planted = plant(self._control, persona, user=self._user)
        self._planted, self.place, self._clip = planted.values, planted.place, persona.clipboard
        notes += [
            *(Spoken("{what} could not be planted: {why}", what=each.what, why=each.why) for each in planted.gaps),
            *planted.notes,
        ]

    def plant_clip(self, put: Callable[[str], str] | None) -> None:
        """Plant the clipboard's text. `put` puts a text there and returns what it then holds; None: nothing can."""
        text, self._clip = self._clip, None
        if text is None:
            return
        try:
            if put is None:
                raise ProviderRefused("nobody reads the screen in this run, and Android has no command for it")
            self._planted += (Value(type="clipboard", text=put(text)),)
        except ProviderRefused as error:
            self._control.notes.append(Spoken("{what} could not be planted: {why}", what="clipboard", why=error))

    def find(self, package: str) -> None:
        """Look up the values that the device has, for a run in which no hooks show what the app reads; values that
        then prove nothing are left out."""
        there = found(self._control, app=package, user=self._user).values
        self._found = tuple(value for value in there if value.type not in ORDINARY)
