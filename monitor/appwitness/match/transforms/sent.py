"""Names the form in which the app sent a value that it transformed: a salted digest is not the value as it is,
although the value stands as it is in the digest's input."""

from __future__ import annotations

import re
from collections.abc import Sequence

from appwitness.match.hits import Hit
from appwitness.match.transforms.outputs import TransformCall

ENCRYPTED = "encrypted"
SALTED = "salted_"
AS_BYTES = frozenset(("hex", "base64"))
"""Encodings of an input that add nothing to it."""
SHA2 = re.compile(r"^sha_?(\d)")


def form_of(step: TransformCall) -> str:
    """What a call makes of its input, in the names of variants: sha256, hmac_sha256, encrypted; empty if it only
    encodes it."""
    if not step.opaque:
        return ""
    if not step.cut:
        return ENCRYPTED
    name = re.sub(r"[^a-z0-9]+", "_", step.name.lower()).strip("_")
    keyed = name.startswith("hmac")
    name = SHA2.sub(r"sha\1", name.removeprefix("hmac").strip("_"))
    return f"hmac_{name}" if keyed else name


def followed(forms: Sequence[str], step: TransformCall, *, whole: bool) -> tuple[str, ...]:
    """The forms down to the input of a further call, outermost first; `whole`: its output is the whole input of the
    previous call."""
    outer = (form_of(step),) if step.opaque else ()
    return (*_salted(forms, whole=whole), *outer)


def as_sent(hit: Hit) -> str:
    """The name of the form in which a value was sent."""
    made = list(_salted(hit.forms, whole=hit.whole and not hit.before and not hit.after))
    if made and all(form == ENCRYPTED for form in made):
        return ENCRYPTED if hit.variant.how in ("text", "utf-8", "digits") else hit.variant.name
    while made and made[0] == ENCRYPTED:  # a recipient who can decrypt a digest has the digest
        del made[0]
    if not made:
        return hit.variant.name
    return "_of_".join((*made, hit.variant.name) if hit.variant.how == "leaf" else made)


def _salted(forms: Sequence[str], *, whole: bool) -> tuple[str, ...]:
    """The forms, the last one marked as salted if it is a digest and its input held something else as well."""
    if not forms or whole or forms[-1] == ENCRYPTED or "mac" in forms[-1]:
        return tuple(forms)
    return (*forms[:-1], SALTED + forms[-1])
