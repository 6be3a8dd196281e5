package com.example.quiz;

import android.app.Application;
import com.adnet.sdk.AdNet;

/** A quiz game that answers the advertisers' questions too. */
public final class QuizApplication extends Application {
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
