package com.google.android.gms.location;

import android.os.Parcelable;

/** A request for the current location. */
public final class CurrentLocationRequest implements Parcelable {
    private int mPriority = Priority.PRIORITY_BALANCED_POWER_ACCURACY;

    private CurrentLocationRequest() {
    }

    public int getPriority() {
        return mPriority;
    }

    /** Builds requests. */
    public static final class Builder {
        private final CurrentLocationRequest mRequest = new CurrentLocationRequest();

        public Builder() {
        }

        public Builder setPriority(int priority) {
            mRequest.mPriority = priority;
            return this;
        }

        public CurrentLocationRequest build() {
            return mRequest;
        }
    }
}
