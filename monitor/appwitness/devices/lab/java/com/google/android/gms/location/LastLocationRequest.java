package com.google.android.gms.location;

import android.os.Parcelable;

/** A request for the last location. */
public final class LastLocationRequest implements Parcelable {
    private LastLocationRequest() {
    }

    /** Builds requests. */
    public static final class Builder {
        public Builder() {
        }

        public LastLocationRequest build() {
            return new LastLocationRequest();
        }
    }
}
