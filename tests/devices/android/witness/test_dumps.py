"""What each version of Android prints is read as far as it is understood, and nothing that it prints is an error."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appwitness.devices.android.witness import dumps, process_dumps

PACKAGE = "com.example"
UID = 10123
NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
CET = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("+12ms", 0.012),
        ("-5s0ms", -5),
        ("+1h5m27s679ms", 3927.679),
        ("+2d0h0m1s0ms", 172_801),
        ("+3m", 180),
        ("", None),
        ("+", None),
        ("soon", None),
        ("+1x", None),
        ("+99999999999999d", None),
    ],
)
def test_durations(text, seconds):
    assert dumps.duration(text) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("text", "uid"),
    [("u0a123", 10123), ("u10a5", 1010005), ("1000", 1000), ("u0a123i5", 10123), ("u0", None), ("", None), ("x", None)],
)
def test_user_ids(text, uid):
    assert dumps.user_id(text) == uid


GET = """\
Uid mode: COARSE_LOCATION: foreground
LEGACY_STORAGE: allow
FINE_LOCATION: allow; time=+25s67ms ago
CAMERA: allow; time=+1m12s30ms ago; rejectTime=+2h ago; duration=+10s
RECORD_AUDIO: allow; time=+1s ago (running)
READ_MEDIA_IMAGES: allow; time=+20166d8h20m24s861ms ago
READ_CONTACTS: default; rejectTime=+4d23h6m26s81ms ago
"""


def test_app_ops_of_7_to_9():
    read = dumps.app_ops_get(GET, NOW)
    assert [(use.op, (NOW - use.at).total_seconds(), use.exact) for use in read.records] == [
        ("FINE_LOCATION", 25.067, False),
        ("CAMERA", 72.03, False),
        ("RECORD_AUDIO", 1, False),
    ]
    assert read.unknown == 0
    assert dumps.app_ops_get("No operations.\n", NOW) == dumps.DumpRecords(())
    assert dumps.app_ops_get("CAMERA is allowed\n", NOW).unknown == 1


OPS_11 = """\
Current AppOps Service state:
  Settings:
    top_state_settle_time=+30s0ms

  Uid u0a119:
    state=bg
    capability=---
      LEGACY_STORAGE: mode=ignore
    Package com.example:
      CAMERA (allow):
        null=[
          Access: [fg-s] 2021-01-11 15:59:27.223 (-1h7m5s542ms)
        ]
  Uid u0a123:
    state=top
    capability=LCM
      COARSE_LOCATION: mode=foreground
    Package com.example.helper:
      CAMERA (allow):
        null=[
          Access: [fg-s] 2021-01-11 15:59:27.223 (-1h7m5s542ms)
        ]
    Package com.example:
      COARSE_LOCATION (allow):\x20
      FINE_LOCATION (allow / switch COARSE_LOCATION=allow):\x20
        map=[
          Access: [fg-s] 2021-01-11 16:01:05.086 (-1h5m27s679ms)
          Reject: [cch-s]2021-01-11 15:02:12.835 (-2h4m19s930ms)
        ]
        null=[
          Access: [bg-s] 2021-01-11 15:01:04.947 (-2h5m27s818ms) duration=+304ms
        ]
      READ_CONTACTS (allow):\x20
        null=[
          Access: [fg-tpd] 2021-01-11 14:26:27.018 (-1d) proxy[uid=1, pkg=com.android.providers.contacts, feature=null]
        ]
      RECORD_AUDIO (allow):\x20
        null=[
          Access: [top-s] 2021-01-11 16:05:05.000 (-12ms)
          Running start at: +5s0ms
          startNesting=1
          Whatever: a vendor adds
        ]
"""
OPS_10 = """\
  Uid u0a123:
    state=top
    Package com.example:
      FINE_LOCATION (allow / switch COARSE_LOCATION=allow):\x20
          Access: [fg-s] 2021-01-11 16:01:05.086 (-1h5m27s679ms)
"""


def test_app_ops_of_10():
    (use,) = dumps.app_ops(OPS_10, PACKAGE, UID, CET).records
    assert (use.op, use.tag, use.at) == ("FINE_LOCATION", None, datetime(2021, 1, 11, 15, 1, 5, 86000, tzinfo=UTC))


def test_app_ops_of_11_to_16():
    read = dumps.app_ops(OPS_11, PACKAGE, UID, timedelta())
    assert [(use.op, use.tag, use.state, use.flag, use.proxy) for use in read.records] == [
        ("FINE_LOCATION", "map", "fg", "s", None),
        ("FINE_LOCATION", None, "bg", "s", None),
        ("READ_CONTACTS", None, "fg", "tpd", "com.android.providers.contacts"),
        ("RECORD_AUDIO", None, "top", "s", None),
    ]
    assert read.records[1].lasted == timedelta(milliseconds=304)
    assert read.unknown == 1
    assert "com.example.helper" not in read.text


HISTORY = """\
Current AppOps Service state:
  History:
    Package: com.example
Discrete accesses:
  Largest chain id: 0
  Uid: 10123
    Package: com.other
      CAMERA
        Attribution: null
          Access [top-s] at 2026-07-23 18:26:00.000
    Package: com.example
      CAMERA
        Device: default:0
          Attribution: barcode
            Access [bg-s] at 2026-07-22 12:14:00.000 for 120000 milliseconds\x20
      FINE_LOCATION
        Attribution: null
          Access [top-tpd] at 2026-07-23 18:26:00.000
          Access [top-s] some time ago
  Uid: 10456
    Package: com.example
      CAMERA
        Attribution: null
          Access [top-s] at 2026-07-23 18:26:00.000
"""


def test_the_history_of_12_to_16():
    read = dumps.app_ops_history(HISTORY, PACKAGE, UID, CET, timedelta(minutes=1))
    assert [(use.op, use.tag, use.flag, use.at.minute) for use in read.records] == [
        ("CAMERA", "barcode", "s", 14),
        ("FINE_LOCATION", None, "tpd", 26),
    ]
    assert all(use.until == use.at + timedelta(minutes=1) for use in read.records)
    assert read.unknown == 1


LOCATION = """\
Location Manager State:
  gps provider:
    10123/com.example: min/max interval = 0s/1s, locations = 999
  Historical Aggregate Location Provider Data:
    gps:
      10123/com.example: min/max interval = 0s/1s, total/active/foreground duration = +15h13m/+15h/+40m, locations = 163
      10123/com.example[map]: min/max interval = 0s/0s, total/active/foreground duration = 0/0/0, locations = 0
      1000/android[Gnss]: min/max interval = passive/passive, total/active/foreground duration = 0/0/0, locations = 7
    fused:
      10123/com.example: min/max interval = 0s/1s, total/active/foreground duration = +15h13m/+15h/+40m, locations = 925
      1010123/com.example: min/max interval = 0s/1s, total/active/foreground duration = +1s/+1s/+1s, locations = 5
      a row of another make: com.example min/max interval = 0s/1s
      another app's: min/max interval = 0s/1s
  GNSS Manager:
    gps:
      10123/com.example: locations = 1
"""


def test_places_of_12_to_16():
    read = dumps.locations(LOCATION, PACKAGE, UID)
    assert [(each.provider, each.tag, each.locations) for each in read.records] == [
        ("gps", None, 163),
        ("gps", "map", 0),
        ("fused", None, 925),
    ]
    assert read.unknown == 1


NETSTATS = """\
Xt stats:
  History since boot:
  ident=[{type=1, metered=false}] uid=10123 set=ALL tag=0x0
    NetworkStatsHistory: bucketDuration=3600
      st=1790665200 rb=397520517 rp=303482 tb=4680000 tp=61542 op=0
UID stats:
  Pending bytes: 5029025
  History since boot:
  ident=[{type=0, ratType=13, metered=true, defaultNetwork=false, subId=1}] uid=10147 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1790661600 rb=100 rp=1 tb=50 tp=1 op=0
  ident=[{type=1, wifiNetworkKey="Wifi"open, metered=false, defaultNetwork=true}] uid=10123 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1790661600 rb=1000 rp=1 tb=500 tp=1 op=0
      st=1790668800 rb=2000 rp=1 tb=700 tp=1 op=0
  ident=[{type=1, metered=false}] uid=10123 set=FOREGROUND tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1790661600 rb=10 rp=1 tb=5 tp=1 op=0
  ident=[{type=1, metered=false}] uid=20123 set=DEFAULT tag=0x0
    NetworkStatsHistory: bucketDuration=7200
      st=1790661600 rb=1 rp=1 tb=2 tp=1 op=0
UID tag stats:
  ident=[{type=1, metered=false}] uid=10123 set=DEFAULT tag=0x1
    NetworkStatsHistory: bucketDuration=7200
      st=1790661600 rb=9999 rp=1 tb=9999 tp=1 op=0
"""
QTAGUID = """\
idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets rx_tcp_bytes
2 wlan0 0x0 10123 0 1000 10 500 5 0
3 wlan0 0x0 10123 1 3000 30 1500 15 0
4 wlan0 0xffffff0400000000 10123 1 3000 30 1500 15 0
5 lo 0x0 10123 1 297993712 91716 298233535 92271 0
6 wlan0 0x0 10000 0 9999 9 9999 9 0
"""
MAP = """\
mAppUidStatsMap: OK
BPF module status: enabled
mAppUidStatsMap:
  uid rxBytes rxPackets txBytes txPackets
  10790 22097 500 16666298 3000
  10123 5210000000 90000 48000000 12000
mStatsMapA:
  10123 999 999 999 999
"""


@pytest.mark.parametrize(
    ("read", "text", "sent", "received"),
    [
        (dumps.network_bytes, NETSTATS, 1207, 3011),
        (dumps.network_bytes, "UID stats:\n  Pending bytes: 0\n", 0, 0),
        (dumps.network_bytes, "Active interfaces:\n", None, None),
        (dumps.network_bytes, MAP, None, None),
        (dumps.counted_by_kernel, QTAGUID, 2000, 4000),
        (dumps.counted_by_kernel, "cat: /proc/net/xt_qtaguid/stats: No such file or directory\n", None, None),
        (dumps.counted_by_map, MAP, 48_000_000, 5_210_000_000),
        (dumps.counted_by_map, "Can't find service: netd\n", None, None),
    ],
)
def test_bytes(read, text, sent, received):
    expected = () if sent is None else (dumps.Bytes(sent, received),)
    assert read(text, UID).records == expected


PROCESSES = """\
ACTIVITY MANAGER RUNNING PROCESSES (dumpsys activity processes)
  *APP* UID 10123 ProcessRecord{9b1c2f0 1234:com.example/u0a123}
    user #0 uid=10123 gids={3003, 50123}
  *APP* UID 10123 ProcessRecord{9b1c2f1 1240:com.named.otherwise/u0a123}
  *APP* UID 99001 ProcessRecord{1a2b3c4 1250:com.example:sandboxed0/u0a123i1}
  *APP* UID 20123 ProcessRecord{1a2b3c5 1260:com.example_sdk_sandbox/u0a10123}
  *APP* UID 10124 ProcessRecord{1a2b3c6 1270:com.example.other/u0a124}
  *PERS* UID 1000 ProcessRecord{1a2b3c7 900:system/1000}
  Process LRU list (sorted by oom_adj):
    Proc # 0: fg     T/A/TOP  LCMN  t: 0 1234:com.example/u0a123 (top-activity)
"""


def test_processes():
    read = process_dumps.processes(PROCESSES, UID)
    assert [(each.pid, each.name, each.isolated) for each in read.records] == [
        (1234, "com.example", False),
        (1240, "com.named.otherwise", False),
        (1250, "com.example:sandboxed0", True),
        (1260, "com.example_sdk_sandbox", False),
    ]


EXITS = """\
ACTIVITY MANAGER PROCESS EXIT INFO (dumpsys activity exit-info)
Last Timestamp of Persistence Into Persistent Storage: 2026-10-08 22:49:04.298
  package: com.example
    Historical Process Exit for uid=10123
        ApplicationExitInfo #0:
          timestamp=2026-10-08 22:49:31.375 pid=8297 realUid=10123 packageUid=10123 definingUid=10123 user=0
          process=com.example reason=10 (USER REQUESTED) subreason=21 (FORCE STOP) status=0
          importance=100 pss=0.00 rss=0.00 description=stop com.example due to from pid 8396 state=46 bytes trace=null
        ApplicationExitInfo #1:
          timestamp=2026-10-08 22:49:14.248 pid=8036 realUid=99001 packageUid=10123 definingUid=10123 user=0
          process=com.example:web reason=4 (APP CRASH(EXCEPTION)) subreason=0 (UNKNOWN) status=0
          importance=100 pss=1.0MB rss=2.0MB description=null state=empty trace=/data/system/procexitstore/x.gz
        ApplicationExitInfo #2:
          timestamp=2026-10-08 22:40:14.248
          pid=8001
          realUid=10123
          packageUid=10123
          definingUid=10123
          user=0
          process=com.example
          reason=2 (SIGNALED)
          status=11
          importance=100
          description=null
          state=empty
        ApplicationExitInfo #3:
          something of a vendor
    Historical Process Exit for uid=1010123
        ApplicationExitInfo #0:
          timestamp=2026-10-08 22:49:31.375 pid=1 realUid=1010123 packageUid=1010123 definingUid=1010123 user=10
          process=com.example reason=3 (LOW_MEMORY) status=0
"""


def test_ends():
    read = process_dumps.exits(EXITS, PACKAGE, UID, CET)
    assert [(each.pid, each.process, each.reason, each.subreason, each.status) for each in read.records] == [
        (8297, "com.example", 10, "FORCE STOP", 0),
        (8036, "com.example:web", 4, None, 0),
        (8001, "com.example", 2, None, 11),
    ]
    assert read.records[0].description == "stop com.example due to from pid 8396"
    assert read.records[0].at == datetime(2026, 10, 8, 21, 49, 31, 375000, tzinfo=UTC)
    assert read.unknown == 1


LOG = """\
--------- beginning of events
1790448200.169  1409  1609 I am_proc_start: [0,3032,10123,com.named.otherwise,broadcast,{com.example/.Receiver}]
1790448210.169  1409  1609 I am_proc_start: [0,3040,10200,com.other,activity,{com.other/.Main}]
1790448214.411  1409  2589 I am_kill : [0,1979,com.example:web,905,kill background,79208]
1790448215.100  1409  2589 I am_anr  : [0,3032,com.named.otherwise,955725381,Input dispatching timed out (x, y)]
1790448216.000   737  3066 I am_crash: [3032,0,com.named.otherwise,819706949,java.lang.Error,boom, with comma,A.java,17]
1790448216.500   390   390 I killinfo: [1979,10123,905,905,123456]
1790448217.000  1409  2589 I am_proc_died: [0,3040,com.other,700,16]
1790448217.100 10123  1409  2589 I am_proc_died: [0,3032,com.named.otherwise,700,16]
1790448218.000  3503  3503 F DEBUG   : pid: 1979, tid: 1981, name: worker  >>> com.example:web <<<
1790448219.000  3503  3503 I am_kill : []
1790448220.000  3503  3503 I am_kill : [0,x,com.example,1,2,3]
not a line of a log
of com.example neither
"""


def test_the_event_log_of_8_to_16():
    read = process_dumps.events(LOG, PACKAGE, UID)
    assert [(each.tag, each.pid, each.detail) for each in read.records] == [
        ("am_proc_start", 3032, "broadcast,{com.example/.Receiver}"),
        ("am_kill", 1979, "kill background,79208"),
        ("am_anr", 3032, "Input dispatching timed out (x, y)"),
        ("am_crash", 3032, "java.lang.Error,boom, with comma,A.java,17"),
        ("killinfo", 1979, "[1979,10123,905,905,123456]"),
        ("am_proc_died", 3032, "700,16"),
        ("native_crash", 1979, "pid: 1979, tid: 1981, name: worker  >>> com.example:web <<<"),
    ]
    assert read.unknown == 1


def test_the_event_log_of_7():
    text = "05-21 22:32:04.998  1885  3475 I am_kill : [0,2497,com.example,999,empty #17]\n"
    (event,) = process_dumps.events(text, PACKAGE, UID, year=2026, zone=CET).records
    assert (event.at, event.pid) == (datetime(2026, 5, 21, 21, 32, 4, 998000, tzinfo=UTC), 2497)


@pytest.mark.parametrize(
    ("text", "hours"), [("+0530", 5.5), ("-0800", -8), ("+00:00", 0), ("UTC", 0), ("", 0), ("+05305", 0)]
)
def test_zones(text, hours):
    assert dumps.zone_of(text) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1790448214.5", 1790448214.5), ("1790448214.%N", 1790448214), ("x", None), ("", None)]
)
def test_clocks(text, seconds):
    read = dumps.clock_of(text)
    assert (read and read.timestamp()) == seconds


READERS = {
    "get": lambda text: dumps.app_ops_get(text, NOW),
    "ops": lambda text: dumps.app_ops(text, PACKAGE, UID, CET),
    "history": lambda text: dumps.app_ops_history(text, PACKAGE, UID, CET, timedelta(minutes=1)),
    "location": lambda text: dumps.locations(text, PACKAGE, UID),
    "netstats": lambda text: dumps.network_bytes(text, UID),
    "kernel": lambda text: dumps.counted_by_kernel(text, UID),
    "map": lambda text: dumps.counted_by_map(text, UID),
    "processes": lambda text: process_dumps.processes(text, UID),
    "exits": lambda text: process_dumps.exits(text, PACKAGE, UID, CET),
    "events": lambda text: process_dumps.events(text, PACKAGE, UID),
}
SAMPLES = (GET, OPS_11, HISTORY, LOCATION, NETSTATS, QTAGUID, MAP, PROCESSES, EXITS, LOG)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@given(sample=st.sampled_from(SAMPLES), start=st.integers(0, 3000), size=st.integers(0, 40), put=st.text(max_size=40))
def test_nothing_that_is_printed_is_an_error(read, sample, start, size, put):
    read(sample[:start] + put + sample[start + size :])
    read(sample.replace("1", "9" * 20).replace("2026", put))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("ops", OPS_10 + OPS_10.splitlines(keepends=True)[-1] * 100_000),
        (
            "history",
            HISTORY.replace(
                "some time ago\n", "\n" + "          Access [top-s] at 2026-07-23 18:26:00.000\n" * 100_000
            ),
        ),
        ("events", LOG.splitlines(keepends=True)[1] * 100_000),
        ("exits", EXITS + "        ApplicationExitInfo #0:\n" * 200_000),
        ("location", "Historical Aggregate Location Provider Data:\n" + "10123/com.example[" + "x" * 5_000_000),
        ("get", "A: allow" + "; time=+1s ago" * 500_000),
    ],
)
def test_however_much_is_printed_it_is_read_to_a_bound(read, text):
    found = READERS[read](text)
    assert len(found.records) <= dumps.MOST_RECORDS
