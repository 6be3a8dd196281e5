package com.google.android.gms.location;

import android.os.Parcelable;

/** Whether locations are available. */
public final class LocationAvailability implements Parcelable {
    LocationAvailability() {
    }

    public boolean isLocationAvailable() {
        return true;
    }
}
