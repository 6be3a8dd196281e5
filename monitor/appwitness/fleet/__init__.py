"""Many apps on many devices: what is planned, who makes which run, how its recording is kept and judged once."""
