package android.location;

import android.os.Parcelable;

/** A request for location from a provider. */
public final class LocationRequest implements Parcelable {
    public static final int QUALITY_BALANCED_POWER_ACCURACY = 102;

    private final long mIntervalMillis;
    private final int mQuality;
    private final int mMaxUpdates;

    private LocationRequest(Builder builder) {
        mIntervalMillis = builder.mIntervalMillis;
        mQuality = builder.mQuality;
        mMaxUpdates = builder.mMaxUpdates;
    }

    public long getIntervalMillis() {
        return mIntervalMillis;
    }

    public int getMaxUpdates() {
        return mMaxUpdates;
    }

    /** Builds location requests. */
    public static final class Builder {
        private long mIntervalMillis;
        private int mQuality = QUALITY_BALANCED_POWER_ACCURACY;
        private int mMaxUpdates = Integer.MAX_VALUE;

        public Builder(long intervalMillis) {
            mIntervalMillis = intervalMillis;
        }

        public Builder setMaxUpdates(int maxUpdates) {
            mMaxUpdates = maxUpdates;
            return this;
        }

        public LocationRequest build() {
            return new LocationRequest(this);
        }
    }
}
