package com.google.android.gms.location;

import android.location.Location;

/** Called when the location changed. */
public interface LocationListener {
    void onLocationChanged(Location location);
}
