package com.android.okhttp;

import java.util.Collections;
import javax.net.ssl.HttpsURLConnection;

/** The same for https, by the sockets that an app may have set for all. */
public final class HttpsHandler extends HttpHandler {
    /** Without extensions of TLS: OkHttp would set them by calls that only Conscrypt's sockets have. */
    private static final ConnectionSpec TLS =
        new ConnectionSpec.Builder(ConnectionSpec.COMPATIBLE_TLS).supportsTlsExtensions(false).build();

    @Override
    protected int getDefaultPort() {
        return 443;
    }

    @Override
    void prepare(OkHttpClient.Builder builder) {
        builder.connectionSpecs(Collections.singletonList(TLS));
        builder.sslSocketFactory(HttpsURLConnection.getDefaultSSLSocketFactory());
        builder.hostnameVerifier(HttpsURLConnection.getDefaultHostnameVerifier());
    }
}
