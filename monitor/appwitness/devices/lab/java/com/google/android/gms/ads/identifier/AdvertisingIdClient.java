package com.google.android.gms.ads.identifier;

import android.content.Context;
import com.android.lab.Device;

/** The advertising identifier of Google's services. */
public final class AdvertisingIdClient {
    /** The identifier, and whether the user limits its use. */
    public static final class Info {
        private final String mId;
        private final boolean mLimited;

        @Deprecated
        public Info(String advertisingId, boolean limitAdTrackingEnabled) {
            mId = advertisingId;
            mLimited = limitAdTrackingEnabled;
        }

        public String getId() {
            return mId;
        }
    }

    private AdvertisingIdClient() {
    }

    public static Info getAdvertisingIdInfo(Context context) {
        return new Info(Device.fact("advertising.id"), false);
    }
}
