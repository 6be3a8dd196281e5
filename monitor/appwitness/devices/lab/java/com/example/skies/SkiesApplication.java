package com.example.skies;

import android.app.Application;
import com.adnet.sdk.AdNet;

/** A weather app that lives on advertisements. */
public final class SkiesApplication extends Application {
    private AdNet mAds;

    @Override
    public void onCreate() {
        super.onCreate();
        mAds = AdNet.initialize(this);
    }

    AdNet ads() {
        return mAds;
    }
}
