package com.example.radio;

import android.app.Activity;
import android.app.AlertDialog;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;
import com.pushline.sdk.PushLine;

/** The stations, behind the consent dialog. */
public final class MainActivity extends Activity {
    private static final long PAUSE_MS = 150;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView stations = new TextView(this);
        stations.setText("Radio: news, jazz, village brass");
        setContentView(stations);
        Runnable load = () -> HurlStack.send("Radio/1.8", "https://api.radio.test/stations", null);
        new Handler(Looper.getMainLooper()).postDelayed(() -> new Thread(load, "stations").start(), PAUSE_MS);
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Radio uses your device's identifier to send you the programme. "
                        + "Do you agree to our privacy policy?")
                .setPositiveButton("Agree", (dialog, which) -> PushLine.start(this))
                .setNegativeButton("Disagree", (dialog, which) -> { })
                .setCancelable(false)
                .show();
    }
}
