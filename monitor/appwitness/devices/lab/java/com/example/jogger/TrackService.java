package com.example.jogger;

import android.app.Service;
import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.location.Location;
import android.location.LocationManager;
import android.os.Handler;
import android.os.IBinder;
import android.os.Looper;
import android.util.Log;
import com.android.volley.toolbox.HurlStack;
import org.json.JSONException;
import org.json.JSONObject;

/** Sends the user's location to the server, even after the user has left the app and the screen is off. */
public final class TrackService extends Service {
    private static final long PAUSE_MS = 200;
    /** A time long after the user has left, on a device where everything is fast. */
    private static final long LATER_MS = 1200;

    private final Handler mMain = new Handler(Looper.getMainLooper());

    @Override
    public void onCreate() {
        registerReceiver(new BroadcastReceiver() {
            @Override
            public void onReceive(Context context, Intent intent) {
                mMain.postDelayed(() -> report("night"), LATER_MS);
            }
        }, new IntentFilter(Intent.ACTION_SCREEN_OFF), Context.RECEIVER_NOT_EXPORTED);
    }

    @Override
    public int onStartCommand(Intent intent, int flags, int startId) {
        mMain.postDelayed(() -> report("run"), PAUSE_MS);
        return START_STICKY;
    }

    @Override
    public IBinder onBind(Intent intent) {
        return null;
    }

    private void report(String why) {
        Location here = getSystemService(LocationManager.class).getLastKnownLocation(LocationManager.GPS_PROVIDER);
        mMain.postDelayed(() -> new Thread(() -> send(why, here), "track").start(), PAUSE_MS);
    }

    private static void send(String why, Location here) {
        try {
            JSONObject point = new JSONObject().put("lat", here.getLatitude()).put("lng", here.getLongitude());
            String body = new JSONObject().put("why", why).put("at", point).toString();
            HurlStack.send("Jogger/5.1", "https://api.jogger.test/track", body);
        } catch (JSONException e) {
            Log.w("Jogger", "not sent", e);
        }
    }
}
