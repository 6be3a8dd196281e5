package com.friendgraph.sdk;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.json.JSONException;
import org.json.JSONObject;

/** Finds people by the MD5 of their numbers, which is as good as the number itself. */
public final class FriendMatch {
    private static final String TAG = "FriendMatch";
    private static final String ENDPOINT = "https://sync.friendgraph.test/v2/match";

    private FriendMatch() {
    }

    /** Asks who knows `number`; blocks. */
    public static void find(String app, String number) {
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(number.getBytes(StandardCharsets.UTF_8));
            JSONObject body = new JSONObject().put("app", app).put("me", HexFormat.of().formatHex(digest));
            Log.i(TAG, "match: " + post(body.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException | IOException | JSONException e) {
            Log.w(TAG, "no match", e);
        }
    }

    private static int post(byte[] body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(ENDPOINT).openConnection();
        try {
            connection.setRequestMethod("POST");
            connection.setDoOutput(true);
            connection.setFixedLengthStreamingMode(body.length);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setRequestProperty("User-Agent", "FriendGraph-Android/3.1.0");
            try (OutputStream out = connection.getOutputStream()) {
                out.write(body);
            }
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }
}
