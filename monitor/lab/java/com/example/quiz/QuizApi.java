package com.example.quiz;

import android.util.Log;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/** Quiz's own server. */
final class QuizApi {
    private QuizApi() {
    }

    /** One request, with `json` as its body or without one; blocks. */
    static void send(String path, String json) {
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL("https://api.quiz.test" + path).openConnection();
            connection.setRequestProperty("User-Agent", "Quiz/4.4 (Android 14)");
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
            Log.i("Quiz", path + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w("Quiz", "request failed", e);
        }
    }
}
