package com.google.android.gms.location;

import android.app.PendingIntent;
import android.location.Location;
import android.os.Looper;
import com.google.android.gms.tasks.CancellationToken;
import com.google.android.gms.tasks.Task;
import java.util.concurrent.Executor;

/** The main entry point to fused location; an interface since version 21 of the library. */
public interface FusedLocationProviderClient {

    Task<Location> getLastLocation();

    Task<Location> getLastLocation(LastLocationRequest request);

    Task<Location> getCurrentLocation(int priority, CancellationToken cancellationToken);

    Task<Location> getCurrentLocation(CurrentLocationRequest request, CancellationToken cancellationToken);

    Task<Void> requestLocationUpdates(LocationRequest request, LocationCallback callback, Looper looper);

    Task<Void> requestLocationUpdates(LocationRequest request, Executor executor, LocationCallback callback);

    Task<Void> requestLocationUpdates(LocationRequest request, LocationListener listener, Looper looper);

    Task<Void> requestLocationUpdates(LocationRequest request, Executor executor, LocationListener listener);

    Task<Void> requestLocationUpdates(LocationRequest request, PendingIntent pendingIntent);

    Task<Void> removeLocationUpdates(LocationCallback callback);

    Task<Void> removeLocationUpdates(LocationListener listener);

    Task<Void> removeLocationUpdates(PendingIntent pendingIntent);
}
