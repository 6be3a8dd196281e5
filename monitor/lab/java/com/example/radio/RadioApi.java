package com.example.radio;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Radio's own server. */
final class RadioApi {
    private RadioApi() {
    }

    /** One request, with `json` as its body or without one; blocks. */
    static void send(String path, String json) {
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL("https://api.radio.test" + path).openConnection();
            connection.setRequestProperty("User-Agent", "Radio/1.8 (Android 14)");
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
            Log.i("Radio", path + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w("Radio", "request failed", e);
        }
    }
}
