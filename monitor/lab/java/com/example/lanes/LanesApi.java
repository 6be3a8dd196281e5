package com.example.lanes;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Lanes's own server. */
final class LanesApi {
    private LanesApi() {
    }

    /** One request, with `json` as its body or without one; blocks. */
    static void send(String path, String json) {
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL("https://api.lanes.test" + path).openConnection();
            connection.setRequestProperty("User-Agent", "Lanes/2.2 (Android 14)");
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
            Log.i("Lanes", path + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w("Lanes", "request failed", e);
        }
    }
}
