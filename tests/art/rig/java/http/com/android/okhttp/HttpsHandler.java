package com.android.okhttp;

/** The same for https. */
public final class HttpsHandler extends HttpHandler {
    @Override
    protected int getDefaultPort() {
        return 443;
    }
}
