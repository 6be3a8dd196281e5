package com.android.okhttp;

import java.net.Proxy;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.util.Collections;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

/**
 * What java.net.URL asks for http, under the name that Android gives it: connections by OkHttp. As on a phone they wait
 * for their peer as long as it takes, where the app sets no limit; OkHttp itself waits for ten seconds.
 */
public class HttpHandler extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) {
        return openConnection(url, null);
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) {
        OkHttpClient.Builder builder = new OkHttpClient.Builder().protocols(Collections.singletonList(Protocol.HTTP_1_1));
        builder.connectTimeout(0, MILLISECONDS).readTimeout(0, MILLISECONDS).writeTimeout(0, MILLISECONDS);
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
