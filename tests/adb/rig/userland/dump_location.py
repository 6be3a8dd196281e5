"""dumpsys location: state["locations"] is provider -> [{"uid", "package", "tag", "locations"}]; totals from 12 on."""


def main(arguments, state):
    print("Location Manager State:")
    print("  Elapsed Realtime: +1h0m3s5ms")
    places = state.get("locations", {})
    if state["api"] < 31:
        print("  Historical Records by Provider:")
        for provider, rows in sorted(places.items()):
            for row in rows:
                print(
                    f"    {row['package']}: {provider}: Interval 1 seconds: Duration requested 1 out of the last 1 "
                    "minutes"
                )
        print("  Last Known Locations:")
        return 0
    print("  Historical Aggregate Location Provider Data:")
    for provider, rows in sorted(places.items()):
        print(f"    {provider}:")
        for row in rows:
            tag = f"[{row['tag']}]" if row.get("tag") else ""
            print(
                f"      {row['uid']}/{row['package']}{tag}: min/max interval = 0s/1s, "
                f"total/active/foreground duration = +5s1ms/+5s/+5s, locations = {row['locations']}"
            )
    print("  GNSS Manager:")
    print("    GNSS Hardware Model Name: Stand-in")
    return 0
