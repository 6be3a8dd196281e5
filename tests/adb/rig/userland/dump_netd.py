"""dumpsys netd trafficcontroller: the bytes by user id of dump_netstats.py, loopback among them."""


def main(arguments, state):
    if arguments[:1] != ["trafficcontroller"]:
        return 0
    print("TrafficController")
    print("  BPF module status: enabled")
    print("mAppUidStatsMap:\n  uid rxBytes rxPackets txBytes txPackets")
    for uid, each in sorted(state.get("netstats", {}).items()):
        looped = each.get("loopback", 0)
        print(f"  {uid} {each.get('received', 0) + looped} 5 {each.get('sent', 0) + looped} 9")
    return 0
