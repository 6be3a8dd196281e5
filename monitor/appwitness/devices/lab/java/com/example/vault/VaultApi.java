package com.example.vault;

import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;

/** Vault's server; no other server is accepted. A request that fails is retried once. */
final class VaultApi {
    private static final String TAG = "Vault";
    private static final long PAUSE_MS = 300;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private final File mPin;

    /** `files` contains the CA certificate of the server, as `vault.pem`. */
    VaultApi(File files) {
        mPin = new File(files, "vault.pem");
    }

    /** Sends JSON after a moment. */
    void send(String path, String json) {
        attempt(path, json.getBytes(StandardCharsets.UTF_8), true);
    }

    private void attempt(String path, byte[] body, boolean again) {
        mMain.postDelayed(() -> new Thread(() -> {
            try {
                Log.i(TAG, path + ": " + post(path, body));
            } catch (IOException | GeneralSecurityException e) {
                Log.w(TAG, path + " failed", e);
                if (again) {
                    attempt(path, body, false);
                }
            }
        }, "vault").start(), PAUSE_MS);
    }

    private int post(String path, byte[] body) throws IOException, GeneralSecurityException {
        HttpsURLConnection connection =
                (HttpsURLConnection) new URL("https://api.vault.test" + path).openConnection();
        try {
            connection.setSSLSocketFactory(pinned());
            connection.setRequestMethod("POST");
            connection.setDoOutput(true);
            connection.setFixedLengthStreamingMode(body.length);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.setRequestProperty("User-Agent", "Vault/7.0 (Android 14)");
            try (OutputStream out = connection.getOutputStream()) {
                out.write(body);
            }
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }

    private SSLSocketFactory pinned() throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Pin(mPin)}, null);
        return context.getSocketFactory();
    }
}
