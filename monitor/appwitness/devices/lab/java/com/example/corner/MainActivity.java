package com.example.corner;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.SharedPreferences;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.telephony.TelephonyManager;
import android.util.Log;
import android.widget.TextView;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Corner's only screen: goods, and an order with the buyer's number once the buyer agreed. */
public final class MainActivity extends Activity {
    private static final String ACCEPTED = "privacy_accepted";
    private static final String READ_NUMBER = "android.permission.READ_PHONE_NUMBERS";
    private static final int ASK_NUMBER = 7;
    private static final long PAUSE_MS = 250;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private final ExecutorService mNetwork = Executors.newSingleThreadExecutor(run -> new Thread(run, "corner-network"));
    private SharedPreferences mPreferences;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        mPreferences = getSharedPreferences("corner", MODE_PRIVATE);
        TextView goods = new TextView(this);
        goods.setText("Corner: tea, noodles, umbrellas");
        setContentView(goods);
        askForConsent();
        later(() -> request("/catalog", null));
    }

    private void askForConsent() {
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Corner sends your phone number to the courier who brings your order. "
                        + "Do you agree to our privacy policy?")
                .setPositiveButton("Agree", (dialog, which) -> decide(true))
                .setNegativeButton("Disagree", (dialog, which) -> decide(false))
                .setCancelable(false)
                .show();
    }

    private void decide(boolean accepted) {
        mPreferences.edit().putBoolean(ACCEPTED, accepted).apply();
        if (!accepted) {
            later(() -> request("/catalog?guest=1", null));
        } else if (checkSelfPermission(READ_NUMBER) == PackageManager.PERMISSION_GRANTED) {
            mMain.postDelayed(this::order, PAUSE_MS);
        } else {
            mMain.postDelayed(() -> requestPermissions(new String[] {READ_NUMBER}, ASK_NUMBER), PAUSE_MS);
        }
    }

    @Override
    public void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults) {
        if (requestCode == ASK_NUMBER && grantResults.length > 0
                && grantResults[0] == PackageManager.PERMISSION_GRANTED) {
            mMain.postDelayed(this::order, PAUSE_MS);
        }
    }

    private void order() {
        String number = getSystemService(TelephonyManager.class).getLine1Number();
        String form = "item=" + Uri.encode("umbrella, green") + "&quantity=1&phone=" + Uri.encode(number);
        later(() -> request("/order", form));
    }

    private void later(Runnable work) {
        mMain.postDelayed(() -> mNetwork.execute(work), PAUSE_MS);
    }

    private static void request(String path, String form) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) new URL("https://api.corner.test" + path).openConnection();
            connection.setRequestProperty("User-Agent", "Corner/1.3 (Android 14)");
            if (form != null) {
                byte[] body = form.getBytes(StandardCharsets.US_ASCII);
                connection.setRequestMethod("POST");
                connection.setDoOutput(true);
                connection.setFixedLengthStreamingMode(body.length);
                connection.setRequestProperty("Content-Type", "application/x-www-form-urlencoded");
                try (OutputStream out = connection.getOutputStream()) {
                    out.write(body);
                }
            }
            Log.i("Corner", path + ": " + connection.getResponseCode());
            connection.getInputStream().close();
        } catch (IOException e) {
            Log.w("Corner", "request failed", e);
        }
    }
}
