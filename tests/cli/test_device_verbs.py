"""What doctor says of the lab device: whether this machine's kernel lets Frida work."""

import os

import pytest
from click.testing import CliRunner

from appwitness.cli.verbs import main
from appwitness.devices.lab import lab_doctor


@pytest.mark.parametrize(
    ("scope", "uid", "code"),
    [(None, 1000, 0), ("0", 1000, 0), ("1", 1000, 0), ("2", 0, 0), ("2", 1000, 4), ("3", 0, 4)],
)
def test_a_kernel_that_forbids_frida_is_a_fault(monkeypatch, tmp_path, scope, uid, code):
    file = tmp_path / "ptrace_scope"
    if scope is not None:
        file.write_text(f"{scope}\n")
    monkeypatch.setattr(lab_doctor, "PTRACE_SCOPE", file)
    monkeypatch.setattr(os, "geteuid", lambda: uid)

    done = CliRunner().invoke(main, ["doctor", "--device", "lab:circle"])

    assert done.exit_code == code
    assert ("lab-ptrace" in done.output) == (code == 4)
