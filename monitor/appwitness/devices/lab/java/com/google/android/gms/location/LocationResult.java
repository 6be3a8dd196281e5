package com.google.android.gms.location;

import android.content.Intent;
import android.location.Location;
import android.os.Parcelable;
import java.util.List;

/** Locations in the order they were computed. */
public final class LocationResult implements Parcelable {
    static final String EXTRA = "com.google.android.gms.location.EXTRA_LOCATION_RESULT";
    private final List<Location> mLocations;

    private LocationResult(List<Location> locations) {
        mLocations = List.copyOf(locations);
    }

    public static LocationResult create(List<Location> locations) {
        return new LocationResult(locations);
    }

    public static LocationResult extractResult(Intent intent) {
        return intent.getParcelableExtra(EXTRA, LocationResult.class);
    }

    public Location getLastLocation() {
        return mLocations.isEmpty() ? null : mLocations.get(mLocations.size() - 1);
    }

    public List<Location> getLocations() {
        return mLocations;
    }
}
