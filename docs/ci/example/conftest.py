"""What all runs of this suite have in common."""

import pytest


@pytest.fixture(scope="session")
def appwitness_args():
    """Findings name articles of the law of the European Union; no run takes longer than two minutes."""
    return {"law": "eu", "duration_s": 120}
