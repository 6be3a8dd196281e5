package com.android.volley.toolbox;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** The HTTP client of most sample apps and SDKs: a general library, named like a class of Volley. */
public final class HurlStack {
    private HurlStack() {
    }

    /** Sends one request, with `json` as its body or without one; blocks. `agent`: user agent, such as `Radio/1.8`. */
    public static void send(String agent, String url, String json) {
        String tag = agent.substring(0, agent.indexOf('/'));
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
            connection.setRequestProperty("User-Agent", agent + " (Android 14)");
            if (json != null) {
                byte[] body = json.getBytes(StandardCharsets.UTF_8);
                connection.setRequestMethod("POST");
                connection.setDoOutput(true);
                connection.setFixedLengthStreamingMode(body.length);
                connection.setRequestProperty("Content-Type", "application/json");
                try (OutputStream out = connection.getOutputStream()) {
                    out.write(body);
                }
            }
            Log.i(tag, url + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w(tag, "request failed", e);
        }
    }
}
