package com.example.lanes;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.SharedPreferences;
import android.content.pm.PackageManager;
import android.location.Location;
import android.location.LocationManager;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import android.widget.Button;
import android.widget.LinearLayout;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;
import org.json.JSONException;
import org.json.JSONObject;

/** The map: asks about the policy, separately about the location, then for permission; consent can be withdrawn. */
public final class MainActivity extends Activity {
    private static final String FINE_LOCATION = "android.permission.ACCESS_FINE_LOCATION";
    private static final String AGREED = "policy_agreed";
    private static final int ASK_LOCATION = 5;
    private static final long PAUSE_MS = 200;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private SharedPreferences mPreferences;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        mPreferences = getSharedPreferences("lanes", MODE_PRIVATE);
        LinearLayout screen = new LinearLayout(this);
        screen.setOrientation(LinearLayout.VERTICAL);
        TextView map = new TextView(this);
        map.setText("Lanes: the way there");
        screen.addView(map);
        Button settings = new Button(this);
        settings.setText("Privacy settings");
        settings.setOnClickListener(view -> showSettings());
        screen.addView(settings);
        setContentView(screen);
        new AlertDialog.Builder(this)
                .setTitle("Privacy policy")
                .setMessage("Lanes shows the way from where you are. Do you agree to our privacy policy?")
                .setPositiveButton("Agree", (dialog, which) -> decide(true))
                .setNegativeButton("Disagree", (dialog, which) -> decide(false))
                .setCancelable(false)
                .show();
    }

    private void decide(boolean agreed) {
        mPreferences.edit().putBoolean(AGREED, agreed).apply();
        mMain.postDelayed(agreed ? this::askForPosition : () -> route("/routes?from=station", null), PAUSE_MS);
    }

    private void askForPosition() {
        new AlertDialog.Builder(this)
                .setTitle("Sensitive personal information")
                .setMessage("Your exact position is sensitive. We need your separate consent to send it to our server, "
                        + "which computes the way.")
                .setPositiveButton("Agree", (dialog, which) -> mMain.postDelayed(this::askForPermission, PAUSE_MS))
                .setNegativeButton("Disagree", (dialog, which) -> route("/routes?from=station", null))
                .setCancelable(false)
                .show();
    }

    private void askForPermission() {
        if (checkSelfPermission(FINE_LOCATION) == PackageManager.PERMISSION_GRANTED) {
            fromHere();
        } else {
            requestPermissions(new String[] {FINE_LOCATION}, ASK_LOCATION);
        }
    }

    @Override
    public void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults) {
        if (grantResults.length > 0 && grantResults[0] == PackageManager.PERMISSION_GRANTED) {
            mMain.postDelayed(this::fromHere, PAUSE_MS);
        }
    }

    private void fromHere() {
        if (!mPreferences.getBoolean(AGREED, false)) {
            return;
        }
        Location here = getSystemService(LocationManager.class).getLastKnownLocation(LocationManager.GPS_PROVIDER);
        try {
            route("/routes", new JSONObject().put("lat", here.getLatitude()).put("lon", here.getLongitude()).toString());
        } catch (JSONException e) {
            Log.w("Lanes", "no way", e);
        }
    }

    private void route(String path, String from) {
        Runnable send = () -> HurlStack.send("Lanes/2.2", "https://api.lanes.test" + path, from);
        mMain.postDelayed(() -> new Thread(send, "route").start(), PAUSE_MS);
    }

    private void showSettings() {
        Button withdraw = new Button(this);
        withdraw.setText("Withdraw consent");
        withdraw.setOnClickListener(view -> {
            mPreferences.edit().putBoolean(AGREED, false).apply();
            fromHere();
        });
        new AlertDialog.Builder(this).setTitle("Privacy settings").setView(withdraw).show();
    }
}
