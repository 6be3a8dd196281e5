package com.example.gems;

import android.app.Application;
import com.adnet.sdk.AdNet;
import com.umeng.commonsdk.UMConfigure;

/** A game that tells everybody that its user agreed. */
public final class GemsApplication extends Application {
    /** A consent string that consents to ten purposes, although nobody tapped anything. */
    static final String TC_STRING = "CQfAJEAQfAJEAAKABBENAwEAAP_AAAAAAAYgAMv___4AAAAA";
    private AdNet mAds;

    @Override
    public void onCreate() {
        super.onCreate();
        UMConfigure.preInit(this, "5f3c9be2d30932", "store");
        UMConfigure.submitPolicyGrantResult(this, true);
        getSharedPreferences("com.example.gems_preferences", MODE_PRIVATE).edit()
                .putInt("IABTCF_gdprApplies", 1)
                .putString("IABTCF_TCString", TC_STRING)
                .putString("IABTCF_PurposeConsents", "1111111111")
                .apply();
        mAds = AdNet.initialize(this);
    }

    AdNet ads() {
        return mAds;
    }
}
