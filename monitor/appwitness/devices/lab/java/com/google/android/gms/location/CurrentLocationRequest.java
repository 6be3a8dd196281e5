package com.google.android.gms.location;

import android.os.Parcelable;

/** A request for the current location. */
public final class CurrentLocationRequest implements Parcelable {
    private CurrentLocationRequest() {
    }

    /** Builds requests. */
    public static final class Builder {
        private final CurrentLocationRequest mRequest = new CurrentLocationRequest();

        public Builder() {
        }

        public CurrentLocationRequest build() {
            return mRequest;
        }
    }
}
