package com.pushline.sdk;

import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;
import android.util.Log;

/** Called when the device starts, before the user has opened the app. */
public final class BootReceiver extends BroadcastReceiver {
    @Override
    public void onReceive(Context context, Intent intent) {
        Log.i("PushLine", "woken for " + PushLine.deviceId(context).length() + " digits");
    }
}
