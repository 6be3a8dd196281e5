package android.location;

import android.os.Bundle;
import java.util.List;

/** Told when the location changed. */
public interface LocationListener {
    void onLocationChanged(Location location);

    default void onLocationChanged(List<Location> locations) {
        for (Location location : locations) {
            onLocationChanged(location);
        }
    }

    @Deprecated
    default void onStatusChanged(String provider, int status, Bundle extras) {
    }

    default void onProviderDisabled(String provider) {
    }
}
