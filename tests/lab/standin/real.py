"""How sources that a JVM has are called for real: statements that print what the app got, one text a value."""

REAL: dict[str, tuple[str, ...]] = {
    "java.lang.System.getProperty": (
        """System.getProperty("user.home");
    Play.got(System.getProperty("os.version"));""",
        'Play.got(System.getProperty("os.arch", "none"));',
        """System.setProperty("http.agent", "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 6)");
    Play.got(System.getProperty("http.agent"));""",
    ),
    "java.net.NetworkInterface.getHardwareAddress": (
        """var all = java.net.NetworkInterface.getNetworkInterfaces();
    for (java.net.NetworkInterface each : java.util.Collections.list(all)) {
      byte[] got = each.getHardwareAddress();
      if (got != null) {
        java.util.StringJoiner mac = new java.util.StringJoiner(":");
        for (byte octet : got) mac.add(String.format("%02x", octet));
        Play.got(mac.toString());
        return;
      }
    }""",
    ),
    "java.net.NetworkInterface.getInterfaceAddresses": (
        """for (var each : java.net.NetworkInterface.getByName("lo").getInterfaceAddresses()) {
      Play.got(each.getAddress().getHostAddress());
    }""",
    ),
    "java.net.NetworkInterface.getInetAddresses": (
        """var loopback = java.net.NetworkInterface.getByName("lo");
    loopback.getInetAddresses();
    for (var each : loopback.getInterfaceAddresses()) {
      Play.got(each.getAddress().getHostAddress());
    }""",
    ),
}
