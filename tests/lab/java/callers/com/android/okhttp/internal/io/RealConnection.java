package com.android.okhttp.internal.io;

import com.android.okhttp.internal.Version;

/** As Android's: what it asks a proxy, and what it asks a server. */
public final class RealConnection {
    public String createTunnelRequest() {
        return "CONNECT " + Version.userAgent();
    }

    public String createRequest() {
        return "GET " + Version.userAgent();
    }
}
