package com.google.android.gms.location;

/** Called on location updates. */
public abstract class LocationCallback {
    public LocationCallback() {
    }

    public void onLocationResult(LocationResult locationResult) {
    }
}
