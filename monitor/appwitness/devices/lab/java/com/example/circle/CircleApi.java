package com.example.circle;

import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;

/** Requests to Circle's own server. */
final class CircleApi {
    private static final String BASE = "https://api.circle.test";

    private CircleApi() {
    }

    static int get(String path) throws IOException {
        HttpURLConnection connection = open(path);
        try {
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }

    static int post(String path, byte[] gzipped) throws IOException {
        HttpURLConnection connection = open(path);
        try {
            connection.setRequestMethod("POST");
            connection.setDoOutput(true);
            connection.setFixedLengthStreamingMode(gzipped.length);
            connection.setRequestProperty("Content-Type", "application/json; charset=utf-8");
            connection.setRequestProperty("Content-Encoding", "gzip");
            try (OutputStream out = connection.getOutputStream()) {
                out.write(gzipped);
            }
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }

    private static HttpURLConnection open(String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(BASE + path).openConnection();
        connection.setRequestProperty("User-Agent", "Circle/4.2 (Android 14)");
        return connection;
    }
}
