package com.example.circle;

import android.app.Application;
import com.friendgraph.sdk.FriendGraph;

/** A social network that looks for friends before it asks. */
public final class CircleApplication extends Application {
    private ContactSync mContactSync;

    @Override
    public void onCreate() {
        super.onCreate();
        mContactSync = new ContactSync(getContentResolver());
        FriendGraph.getInstance().setOnSynced(mContactSync::start);
    }

    ContactSync contactSync() {
        return mContactSync;
    }
}
