"""A small fleet of which a host, a judge and the server are killed: nothing is lost or counted twice.
`python -m tests.fleet.simulation` is the large one."""

import sys

import pytest

from tests.fleet.simulation import Size, simulate


@pytest.mark.parametrize("place", ["postgresql", "sqlite"])
@pytest.mark.skipif(sys.platform != "linux", reason="judges are found in /proc")
def test_nothing_is_lost_and_nothing_counted_twice(tmp_path, request, place):
    server = request.getfixturevalue("postgres") if place == "postgresql" else None
    killed = {"hosts": 1, "judges": 1} | ({"servers": 1} if server else {})
    told = simulate(server, tmp_path, Size(devices=4, runs=28, hosts=2, seconds=0.2, kills=len(killed), lease_s=2))
    assert told.killed == killed, told
    assert (told.lost, told.twice, told.collisions) == (0, 0, 0), told
