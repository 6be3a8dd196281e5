"""`python -m monitor.cli` is `appwitness`."""

from monitor.cli import main

main()
