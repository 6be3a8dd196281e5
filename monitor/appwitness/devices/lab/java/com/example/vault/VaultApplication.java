package com.example.vault;

import android.app.Application;
import android.provider.Settings;

/** A wallet that identifies the device before anybody was asked, and only talks to its own server. */
public final class VaultApplication extends Application {
    private VaultApi mApi;

    @Override
    public void onCreate() {
        super.onCreate();
        mApi = new VaultApi(getFilesDir());
        String device = Settings.Secure.getString(getContentResolver(), Settings.Secure.ANDROID_ID);
        mApi.send("/device", "{\"device\":\"" + device + "\"}");
    }

    VaultApi api() {
        return mApi;
    }
}
