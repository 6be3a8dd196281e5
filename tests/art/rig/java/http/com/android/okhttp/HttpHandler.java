package com.android.okhttp;

import java.net.Proxy;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.util.Collections;
import java.util.List;

/** What java.net.URL asks for http, under the name that Android gives it: connections by OkHttp. */
public class HttpHandler extends URLStreamHandler {
    /** Without TLS extensions: OkHttp would set them by calls that only Conscrypt's sockets have. */
    private static final ConnectionSpec TLS =
        new ConnectionSpec.Builder(ConnectionSpec.COMPATIBLE_TLS).supportsTlsExtensions(false).build();

    @Override
    protected URLConnection openConnection(URL url) {
        return openConnection(url, null);
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) {
        return new OkUrlFactory(client(proxy)).open(url);
    }

    @Override
    protected int getDefaultPort() {
        return 80;
    }

    private static OkHttpClient client(Proxy proxy) {
        List<ConnectionSpec> specs = java.util.Arrays.asList(TLS, ConnectionSpec.CLEARTEXT);
        OkHttpClient.Builder builder = new OkHttpClient.Builder();
        return builder.protocols(Collections.singletonList(Protocol.HTTP_1_1)).connectionSpecs(specs).proxy(proxy).build();
    }
}
