package com.example.coupon;

import android.app.Activity;
import android.os.Bundle;
import android.widget.Button;
import android.widget.LinearLayout;
import android.widget.TextView;

/** Privacy settings: consent can be withdrawn here, but the subscription is not notified. */
public final class SettingsActivity extends Activity {
    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        LinearLayout screen = new LinearLayout(this);
        screen.setOrientation(LinearLayout.VERTICAL);
        TextView heading = new TextView(this);
        heading.setText("Privacy settings");
        screen.addView(heading);
        Button withdraw = new Button(this);
        withdraw.setText("Withdraw consent");
        withdraw.setOnClickListener(view -> {
            getSharedPreferences("coupon", MODE_PRIVATE).edit().putBoolean("privacy_accepted", false).apply();
            new Subscription(this).renew("withdrawn");
        });
        screen.addView(withdraw);
        setContentView(screen);
    }
}
