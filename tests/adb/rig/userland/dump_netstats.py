"""dumpsys netstats [--poll | detail]: state["netstats"] is user id -> {"sent", "received", "loopback"}."""


def main(arguments, state):
    counted = state.get("netstats", {})
    if "--poll" in arguments:
        return 0
    print(
        'Active interfaces:\n  iface=wlan0 ident=[{type=1, networkId="stand-in", metered=false, defaultNetwork=true}]'
    )
    if "detail" in arguments or "full" in arguments:
        print("Xt stats:\n  Pending bytes: 0\n  History since boot:")
        print("  ident=[{type=1, metered=false}] uid=-1 set=ALL tag=0x0")
        print(
            "    NetworkStatsHistory: bucketDuration=3600\n      st=1600000000 rb=99999999 rp=9 tb=99999999 tp=9 op=0"
        )
        print("UID stats:\n  Pending bytes: 0\n  History since boot:")
        for uid, each in sorted(counted.items()):
            half = {name: each.get(name, 0) // 2 for name in ("sent", "received")}
            print(f"  ident=[{{type=1, metered=false, defaultNetwork=true}}] uid={uid} set=DEFAULT tag=0x0")
            print("    NetworkStatsHistory: bucketDuration=7200")
            print(f"      st=1600000000 rb={half['received']} rp=1 tb={half['sent']} tp=1 op=0")
            print(f"  ident=[{{type=1, metered=false, defaultNetwork=true}}] uid={uid} set=FOREGROUND tag=0x0")
            print("    NetworkStatsHistory: bucketDuration=7200")
            rest = {name: each.get(name, 0) - half[name] for name in half}
            print(f"      st=1600007200 rb={rest['received']} rp=1 tb={rest['sent']} tp=1 op=0")
        print("UID tag stats:\n  Pending bytes: 0\n  History since boot:")
        for uid, each in sorted(counted.items()):
            print(f"  ident=[{{type=1, metered=false}}] uid={uid} set=DEFAULT tag=0xffffff82")
            print("    NetworkStatsHistory: bucketDuration=7200")
            print(f"      st=1600000000 rb={each.get('received', 0)} rp=1 tb={each.get('sent', 0)} tp=1 op=0")
    if state["api"] >= 34:
        print("mAppUidStatsMap:\n  uid rxBytes rxPackets txBytes txPackets")
        for uid, each in sorted(counted.items()):
            looped = each.get("loopback", 0)
            print(f"  {uid} {each.get('received', 0) + looped} 5 {each.get('sent', 0) + looped} 9")
        print("mStatsMapA:")
    return 0
