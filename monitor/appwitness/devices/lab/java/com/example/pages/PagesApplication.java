package com.example.pages;

import android.app.Application;

/** A reading app that does not take no for an answer. */
public final class PagesApplication extends Application {
    private EventLog mEventLog;

    @Override
    public void onCreate() {
        super.onCreate();
        mEventLog = new EventLog(this);
    }

    EventLog eventLog() {
        return mEventLog;
    }
}
