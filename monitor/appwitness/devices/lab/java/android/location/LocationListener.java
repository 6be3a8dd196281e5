package android.location;

import java.util.List;

/** Called when the location changed. */
public interface LocationListener {
    void onLocationChanged(Location location);

    default void onLocationChanged(List<Location> locations) {
        for (Location location : locations) {
            onLocationChanged(location);
        }
    }
}
