package com.umeng.commonsdk;

import android.content.Context;
import android.util.Log;

/** Umeng's entry points, as an app calls them; here they do nothing. */
public final class UMConfigure {
    private UMConfigure() {
    }

    public static void preInit(Context context, String appKey, String channel) {
        Log.i("UMConfigure", "preInit " + channel);
    }

    public static void submitPolicyGrantResult(Context context, boolean granted) {
        Log.i("UMConfigure", "granted: " + granted);
    }
}
