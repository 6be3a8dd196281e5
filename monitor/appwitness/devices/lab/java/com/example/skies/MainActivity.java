package com.example.skies;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.SharedPreferences;
import android.location.Location;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import android.widget.LinearLayout;
import android.widget.TextView;
import com.google.android.gms.location.FusedLocationProviderClient;
import com.google.android.gms.location.LocationServices;
import com.google.android.gms.location.Priority;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;

/** Skies' only screen: the forecast above a banner. */
public final class MainActivity extends Activity {
    private static final String ACCEPTED = "privacy_accepted";
    private static final String FORECAST = "https://api.skies.test/v1/forecast";
    private static final long PAUSE_MS = 250;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private SharedPreferences mPreferences;
    private FusedLocationProviderClient mFused;
    private TextView mForecast;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        mPreferences = getSharedPreferences("skies", MODE_PRIVATE);
        mFused = LocationServices.getFusedLocationProviderClient(this);
        LinearLayout screen = new LinearLayout(this);
        screen.setOrientation(LinearLayout.VERTICAL);
        mForecast = new TextView(this);
        mForecast.setText("--");
        screen.addView(mForecast);
        setContentView(screen);
        ((SkiesApplication) getApplication()).ads().loadBanner("top");
    }

    @Override
    protected void onResume() {
        super.onResume();
        if (!mPreferences.contains(ACCEPTED)) {
            askForConsent();
        }
    }

    private void askForConsent() {
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Skies uses your location to show the weather where you are. "
                        + "Do you agree to our privacy policy?")
                .setPositiveButton("Agree", (dialog, which) -> decide(true))
                .setNegativeButton("Disagree", (dialog, which) -> decide(false))
                .setCancelable(false)
                .show();
    }

    private void decide(boolean accepted) {
        mPreferences.edit().putBoolean(ACCEPTED, accepted).apply();
        if (accepted) {
            mMain.postDelayed(this::locate, PAUSE_MS);
        } else {
            load(FORECAST + "?city=101020100", () -> { });
        }
    }

    private void locate() {
        mFused.getCurrentLocation(Priority.PRIORITY_HIGH_ACCURACY, null)
                .addOnSuccessListener(this, this::show)
                .addOnFailureListener(e -> Log.w("Skies", "no position", e));
    }

    private void show(Location here) {
        String url = FORECAST + "?lat=" + here.getLatitude() + "&lon=" + here.getLongitude();
        load(url, ((SkiesApplication) getApplication()).ads()::enableTargeting);
    }

    private void load(String url, Runnable then) {
        mMain.postDelayed(() -> new Thread(() -> {
            String text = fetch(url);
            mMain.postDelayed(() -> {
                mForecast.setText(text);
                then.run();
            }, PAUSE_MS);
        }, "forecast").start(), PAUSE_MS);
    }

    private static String fetch(String url) {
        try {
            HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
            connection.setRequestProperty("User-Agent", "Skies/2.0 (Android 14)");
            connection.setRequestProperty("Accept-Encoding", "identity");
            try (InputStream in = connection.getInputStream()) {
                return new String(in.readAllBytes());
            }
        } catch (IOException e) {
            Log.w("Skies", "no forecast", e);
            return "no forecast";
        }
    }
}
