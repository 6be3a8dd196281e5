package com.google.android.gms.location;

import android.os.Parcelable;

/** The requested quality and frequency of location updates. */
public final class LocationRequest implements Parcelable {
    private long mIntervalMillis = 3_600_000;
    private int mMaxUpdates = Integer.MAX_VALUE;

    private LocationRequest() {
    }

    @Deprecated
    public static LocationRequest create() {
        return new LocationRequest();
    }

    @Deprecated
    public LocationRequest setInterval(long intervalMillis) {
        mIntervalMillis = intervalMillis;
        return this;
    }

    public long getIntervalMillis() {
        return mIntervalMillis;
    }

    public int getMaxUpdates() {
        return mMaxUpdates;
    }

    /** Builds location requests. */
    public static final class Builder {
        private final LocationRequest mRequest = new LocationRequest();

        public Builder(long intervalMillis) {
            mRequest.mIntervalMillis = intervalMillis;
        }

        public Builder setMaxUpdates(int maxUpdates) {
            mRequest.mMaxUpdates = maxUpdates;
            return this;
        }

        public LocationRequest build() {
            return mRequest;
        }
    }
}
