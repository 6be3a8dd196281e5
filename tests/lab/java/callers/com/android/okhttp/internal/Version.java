package com.android.okhttp.internal;

/** As Android's. */
public final class Version {
    private Version() {
    }

    public static String userAgent() {
        return System.getProperty("http.agent");
    }
}
