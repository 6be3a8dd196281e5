"""Whether tests are run that are only for the night: NIGHTLY=true in the environment."""

import os

AT_NIGHT = os.environ.get("NIGHTLY") == "true"
