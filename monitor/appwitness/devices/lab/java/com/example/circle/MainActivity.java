package com.example.circle;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.SharedPreferences;
import android.os.Bundle;
import android.util.Log;
import android.widget.TextView;
import java.io.IOException;

/** Circle's first screen: asks for agreement to the privacy policy. */
public final class MainActivity extends Activity {
    private static final String ACCEPTED = "privacy_accepted";
    private SharedPreferences mPreferences;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        mPreferences = getSharedPreferences("circle", MODE_PRIVATE);
        TextView welcome = new TextView(this);
        welcome.setText("Circle: find the people you know");
        setContentView(welcome);
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
                .setMessage("Circle uses your contacts to find people you know. "
                        + "Please read our privacy policy and tell us whether you agree.")
                .setPositiveButton("Agree", (dialog, which) -> decide(true))
                .setNegativeButton("Disagree", (dialog, which) -> decide(false))
                .setCancelable(false)
                .show();
    }

    private void decide(boolean accepted) {
        mPreferences.edit().putBoolean(ACCEPTED, accepted).apply();
        if (accepted) {
            getWindow().getDecorView().postDelayed(() -> new Thread(this::loadFeed, "feed").start(), 250);
        } else {
            // A deliberate bug: the sync is retried whatever the answer was.
            ((CircleApplication) getApplication()).contactSync().sendAgain();
        }
    }

    private void loadFeed() {
        try {
            Log.i("Circle", "feed: " + CircleApi.get("/feed?after=0"));
        } catch (IOException e) {
            Log.w("Circle", "no feed", e);
        }
    }
}
