"""How long a host keeps what it leased, a run or a recording to judge, without a sign of life."""

LEASE_S = 60.0
"""After this many seconds without a sign of life, other hosts may take what was leased."""
BEAT_S = 10.0
"""Seconds between two signs of life: a host misses several before it loses anything."""
LOCAL_BEAT_S = 1.0
"""The same for a host that has the table of runs for itself."""
