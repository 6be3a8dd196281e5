package com.google.android.gms.location;

/** Told of location updates. */
public abstract class LocationCallback {
    public LocationCallback() {
    }

    public void onLocationResult(LocationResult locationResult) {
    }
}
