"""Whatever Frida raises is caught, and has a remedy."""

from __future__ import annotations

import frida
import pytest

from appwitness.agent.frida_device import ERRORS, fault, known

RAISED = [each for each in vars(frida).values() if isinstance(each, type) and issubclass(each, Exception)]


@pytest.mark.parametrize("kind", RAISED)
def test_each_error_of_the_library_has_a_remedy(kind: type[Exception]) -> None:
    assert issubclass(kind, ERRORS)
    found = fault(kind("x", "y", "z") if kind is frida.RPCException else kind("x"), "it was tried")
    assert found.code in {entry.code for entry in known()}
    assert found.next_step
    assert found.what.startswith("it was tried: ")
