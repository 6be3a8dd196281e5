package com.pushline.sdk;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import android.provider.Settings;
import android.util.Log;

/** Push messages: checks again and again whether the device is still the same. */
public final class PushLine {
    private static final String TAG = "PushLine";
    private static final long BEAT_MS = 100;
    private static final int BEATS = 15;

    private final Context mContext;
    private final Handler mMain = new Handler(Looper.getMainLooper());
    private int mBeats;

    private PushLine(Context context) {
        mContext = context.getApplicationContext();
    }

    /** Begins to listen for messages. */
    public static void start(Context context) {
        int apps = context.getPackageManager().getInstalledPackages(0).size();
        Log.i(TAG, "started among " + apps + " apps");
        new PushLine(context).beat();
    }

    static String deviceId(Context context) {
        return Settings.Secure.getString(context.getContentResolver(), Settings.Secure.ANDROID_ID);
    }

    private void beat() {
        String device = deviceId(mContext);
        mBeats++;
        Log.d(TAG, "beat " + mBeats + " of " + device.length() + " digits");
        if (mBeats < BEATS) {
            mMain.postDelayed(this::beat, BEAT_MS);
        }
    }
}
