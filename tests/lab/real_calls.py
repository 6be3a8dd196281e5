"""How sources that a JVM has are called for real: statements that print what the app got, one text a value.

By the name of the source, and its data type where several have one name.
"""

FOUR = "java.net.InetAddress.getByAddress(new byte[] {{(byte) 192, (byte) 168, 77, {}}})"
SIX = "java.net.InetAddress.getByAddress(new byte[] {{(byte) 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {}}})"
NAMED = 'java.net.InetAddress.getByAddress("alices-printer.lan", new byte[] {(byte) 192, (byte) 168, 77, 8})'


def _commands(*lines: str) -> tuple[str, ...]:
    """By a shell, whatever it finds, and by words, whether or not there is such a program."""
    shell = 'new ProcessBuilder("sh", "-c", "{}").start().waitFor();'
    words = 'try {{ Runtime.getRuntime().exec("{}"); }} catch (java.io.IOException absent) {{ }}'
    return tuple(how.format(line) for line in lines for how in (shell, words))


REAL: dict[str, tuple[str, ...]] = {
    "java.lang.ProcessBuilder.start device_id_serial": _commands("getprop ro.serialno"),
    "java.lang.ProcessBuilder.start android_id": _commands("settings get secure android_id"),
    "java.lang.ProcessBuilder.start device_id_imei": _commands("service call iphonesubinfo 1", "getprop ril.imei"),
    "java.lang.ProcessBuilder.start installed_apps": _commands("pm list packages -3", "ps"),
    "java.lang.ProcessBuilder.start device_contacts": _commands(
        "content query --uri content://com.android.contacts/data"
    ),
    "java.lang.ProcessBuilder.start device_model_os": _commands("getprop ro.product.model", "cat /proc/cpuinfo"),
    "java.lang.ProcessBuilder.start location": _commands("dumpsys location"),
    "java.lang.ProcessBuilder.start wifi_ssid_bssid": _commands("dumpsys wifi"),
    "java.lang.ProcessBuilder.start mac_address": _commands("ip -o link", "cat /sys/class/net/lo/address"),
    "java.lang.ProcessBuilder.start nearby_wifi": _commands("cat /proc/net/arp", "ip neigh"),
    "java.lang.ProcessBuilder.start screen_content": _commands("screencap -p"),
    "java.lang.System.getProperty": (
        """System.getProperty("user.home");
    got(System.getProperty("os.version"));""",
        'got(System.getProperty("os.arch", "none"));',
        """System.setProperty("http.agent", "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 6)");
    got(System.getProperty("http.agent"));""",
    ),
    "java.net.NetworkInterface.getHardwareAddress": (
        """var all = java.net.NetworkInterface.getNetworkInterfaces();
    for (java.net.NetworkInterface each : java.util.Collections.list(all)) {
      byte[] got = each.getHardwareAddress();
      if (got != null) {
        java.util.StringJoiner mac = new java.util.StringJoiner(":");
        for (byte octet : got) mac.add(String.format("%02x", octet));
        got(mac.toString());
        return;
      }
    }""",
    ),
    "java.net.NetworkInterface.getInterfaceAddresses": (
        """for (var each : java.net.NetworkInterface.getByName("lo").getInterfaceAddresses()) {
      got(each.getAddress().getHostAddress());
    }""",
    ),
    "java.net.NetworkInterface.getInetAddresses": (
        """var loopback = java.net.NetworkInterface.getByName("lo");
    loopback.getInetAddresses();
    for (var each : loopback.getInterfaceAddresses()) {
      got(each.getAddress().getHostAddress());
    }""",
    ),
    "java.net.NetworkInterface.getNetworkInterfaces": ("""java.net.NetworkInterface.getNetworkInterfaces();""",),
    "java.net.NetworkInterface.getByName": ("""java.net.NetworkInterface.getByName("lo");""",),
    "java.net.NetworkInterface.getByIndex": ("""java.net.NetworkInterface.getByIndex(1);""",),
    "java.net.NetworkInterface.getByInetAddress": (
        """java.net.NetworkInterface.getByInetAddress(java.net.InetAddress.getLoopbackAddress());""",
    ),
    "java.net.NetworkInterface.getName": ("""java.net.NetworkInterface.getByName("lo").getName();""",),
    "java.net.NetworkInterface.getDisplayName": ("""java.net.NetworkInterface.getByName("lo").getDisplayName();""",),
    "java.net.Inet4Address.getHostAddress": (f"got({FOUR.format(11)}.getHostAddress());",),
    "java.net.Inet4Address.getAddress": (f'{FOUR.format(12)}.getAddress(); got("192.168.77.12");',),
    "java.net.Inet6Address.getHostAddress": (f"got({SIX.format(7)}.getHostAddress());",),
    "java.net.Inet6Address.getAddress": (f'{SIX.format(8)}.getAddress(); got("fd00:0:0:0:0:0:0:8");',),
    "java.net.InetAddress.getHostName": (f"got({NAMED}.getHostName());",),
    "java.net.InetAddress.getCanonicalHostName": (f"got({FOUR.format(13)}.getCanonicalHostName());",),
    "java.net.InetAddress.getByName": ("""java.net.InetAddress.getByName("192.168.77.9"); got("192.168.77.9");""",),
    "java.net.InetAddress.getAllByName": (
        """java.net.InetAddress.getAllByName("192.168.77.9"); got("192.168.77.9");""",
    ),
}
