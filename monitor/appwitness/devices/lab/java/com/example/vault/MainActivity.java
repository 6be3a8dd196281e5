package com.example.vault;

import android.app.Activity;
import android.app.AlertDialog;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.telephony.TelephonyManager;
import android.widget.TextView;

/** The login: with the SIM's number, once the user has agreed. */
public final class MainActivity extends Activity {
    private static final long PAUSE_MS = 250;

    private final Handler mMain = new Handler(Looper.getMainLooper());

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView door = new TextView(this);
        door.setText("Vault: your purse");
        setContentView(door);
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Vault knows you by your phone number. Do you agree to our privacy policy?")
                .setPositiveButton("Agree", (dialog, which) -> mMain.postDelayed(this::logIn, PAUSE_MS))
                .setNegativeButton("Disagree", (dialog, which) -> door.setText("Goodbye"))
                .setCancelable(false)
                .show();
    }

    private void logIn() {
        String number = getSystemService(TelephonyManager.class).getLine1Number();
        ((VaultApplication) getApplication()).api().send("/login", "{\"phone\":\"" + number + "\"}");
    }
}
