"""`python -m appwitness.cli` is `appwitness`."""

from appwitness.cli import main

main()
