package com.example.coupon;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.ClipboardManager;
import android.content.Intent;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import android.widget.Button;
import android.widget.LinearLayout;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;

/** The deals of the day, behind the consent dialog. */
public final class MainActivity extends Activity {
    private static final long PAUSE_MS = 150;

    private final Handler mMain = new Handler(Looper.getMainLooper());

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        LinearLayout screen = new LinearLayout(this);
        screen.setOrientation(LinearLayout.VERTICAL);
        TextView deals = new TextView(this);
        deals.setText("Deals of the day: kettles, raincoats");
        screen.addView(deals);
        Button settings = new Button(this);
        settings.setText("Privacy settings");
        settings.setOnClickListener(view -> startActivity(new Intent(this, SettingsActivity.class)));
        screen.addView(settings);
        setContentView(screen);
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Coupon texts you the deals of the day. For that it needs your phone number. "
                        + "Do you agree to our privacy policy?")
                .setPositiveButton("Agree", (dialog, which) -> decide(true))
                .setNegativeButton("Disagree", (dialog, which) -> decide(false))
                .setCancelable(false)
                .show();
    }

    private void decide(boolean agreed) {
        if (agreed) {
            CharSequence copied = getSystemService(ClipboardManager.class).getPrimaryClip().getItemAt(0).getText();
            Log.i("Coupon", "a code of " + copied.length() + " characters may be a coupon");
            new Subscription(this).renew("subscribed");
        } else {
            Runnable load = () -> HurlStack.send("Coupon/3.5", "https://api.coupon.test/deals?guest=1", null);
            mMain.postDelayed(() -> new Thread(load, "deals").start(), PAUSE_MS);
        }
    }
}
