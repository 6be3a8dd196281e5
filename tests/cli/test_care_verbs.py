"""The verb share on the command line."""

from click.testing import CliRunner

from appwitness.cli.verbs import main
from tests.care.test_sharing import PHONE, made


def test_share_makes_a_copy_that_verifies_and_a_report_that_says_so(tmp_path):
    original = made(tmp_path / "original")
    copy = str(tmp_path / "copy")
    run = CliRunner().invoke(main, ["share", str(original.path), "--output", copy])
    assert run.exit_code == 0, run.output
    assert "4 values replaced, 0 bodies or pictures left out" in run.output
    assert CliRunner().invoke(main, ["verify", copy]).exit_code == 0
    shown = CliRunner().invoke(main, ["report", copy, "--reveal"])
    assert "shared copy of original" in shown.output
    assert PHONE not in shown.output
    again = CliRunner().invoke(main, ["share", str(original.path), "--output", copy])
    assert again.exit_code == 2
    assert "is not empty" in again.output
