package com.android.okhttp;

import java.net.Proxy;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.util.Collections;

/** What java.net.URL asks for http, under the name that Android gives it: connections by OkHttp. */
public class HttpHandler extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) {
        return openConnection(url, null);
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) {
        OkHttpClient.Builder builder = new OkHttpClient.Builder().protocols(Collections.singletonList(Protocol.HTTP_1_1));
        prepare(builder.followSslRedirects(false).proxy(proxy));
        return new OkUrlFactory(builder.build()).open(url);
    }

    @Override
    protected int getDefaultPort() {
        return 80;
    }

    void prepare(OkHttpClient.Builder builder) {
        builder.connectionSpecs(Collections.singletonList(ConnectionSpec.CLEARTEXT));
    }
}
