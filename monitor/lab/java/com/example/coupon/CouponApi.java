package com.example.coupon;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Coupon's own server. */
final class CouponApi {
    private CouponApi() {
    }

    /** One request, with `json` as its body or without one; blocks. */
    static void send(String path, String json) {
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL("https://api.coupon.test" + path).openConnection();
            connection.setRequestProperty("User-Agent", "Coupon/3.5 (Android 14)");
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
            Log.i("Coupon", path + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w("Coupon", "request failed", e);
        }
    }
}
