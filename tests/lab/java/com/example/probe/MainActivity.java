package com.example.probe;

import android.app.Activity;
import android.app.AlertDialog;
import android.app.PendingIntent;
import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.content.pm.PackageManager;
import android.location.Location;
import android.location.LocationManager;
import android.os.Bundle;
import android.util.Log;
import android.widget.CheckBox;

/** Shows a dialog, then asks for a permission, then finishes. */
public final class MainActivity extends Activity {
    private static final String NUMBERS = "android.permission.READ_PHONE_NUMBERS";

    @Override
    protected void onResume() {
        super.onResume();
        if (getPreferences().contains("answered")) {
            return;
        }
        CheckBox box = new CheckBox(this);
        box.setText("Also by post");
        new AlertDialog.Builder(this)
                .setTitle("Probe")
                .setMessage("May we?")
                .setView(box)
                .setPositiveButton("Agree", (dialog, which) -> answered("agree", which))
                .setNegativeButton("Disagree", (dialog, which) -> answered("disagree", which))
                .setOnDismissListener(dialog -> ProbeApplication.say("dismissed", () -> "yes"))
                .show();
    }

    private android.content.SharedPreferences getPreferences() {
        return getSharedPreferences("probe", MODE_PRIVATE);
    }

    private void answered(String what, int which) {
        getPreferences().edit().putString("answered", what).apply();
        ProbeApplication.say("answered", () -> what + " " + which + " " + Log.getStackTraceString(new Throwable())
                .contains("AlertController$ButtonHandler.handleMessage"));
        requestPermissions(new String[] {NUMBERS, "android.permission.CAMERA"}, 5);
    }

    @Override
    public void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults) {
        ProbeApplication.say("permission", () -> requestCode + " " + String.join(",", permissions) + " " + grantResults[0]
                + " " + grantResults[1] + " " + (checkSelfPermission(NUMBERS) == PackageManager.PERMISSION_GRANTED));
        registerReceiver(new BroadcastReceiver() {
            @Override
            public void onReceive(Context context, Intent intent) {
                Location here = intent.getParcelableExtra(LocationManager.KEY_LOCATION_CHANGED, Location.class);
                ProbeApplication.say("pending", here::getLongitude);
                finish();
            }
        }, new IntentFilter("probe.HERE"), RECEIVER_NOT_EXPORTED);
        ProbeApplication.say("single", () -> {
            PendingIntent pending = PendingIntent.getBroadcast(
                    this, 0, new Intent("probe.HERE").setPackage(getPackageName()), PendingIntent.FLAG_MUTABLE);
            getSystemService(LocationManager.class).requestSingleUpdate(LocationManager.GPS_PROVIDER, pending);
            return "asked";
        });
    }
}
