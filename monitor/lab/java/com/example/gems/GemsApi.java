package com.example.gems;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Gems's own server. */
final class GemsApi {
    private GemsApi() {
    }

    /** One request, with `json` as its body or without one; blocks. */
    static void send(String path, String json) {
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL("https://api.gems.test" + path).openConnection();
            connection.setRequestProperty("User-Agent", "Gems/12.0 (Android 14)");
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
            Log.i("Gems", path + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w("Gems", "request failed", e);
        }
    }
}
