"""Private folders for temporary files: what others sweep away is never used."""

import shutil
from pathlib import Path

from appwitness.support import private_files


def test_a_folder_that_is_swept_between_making_and_locking_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    locked = private_files.opened_locked
    swept: list[Path] = []

    def late(path, how):
        held = locked(path, how)
        if not swept:  # by another process, which had opened it and removed it before it let go
            swept.append(path)
            shutil.rmtree(path)
        return held

    monkeypatch.setattr(private_files, "opened_locked", late)
    with private_files.Temporary() as folder:
        assert swept
        assert folder.is_dir()
        assert folder.parent == tmp_path
    assert not folder.exists()
