package com.google.android.gms.internal.location;

import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;
import android.location.Location;
import android.os.Handler;
import android.os.Looper;
import com.android.lab.Device;
import com.android.lab.LocationEngine;
import com.google.android.gms.location.CurrentLocationRequest;
import com.google.android.gms.location.FusedLocationProviderClient;
import com.google.android.gms.location.LastLocationRequest;
import com.google.android.gms.location.LocationCallback;
import com.google.android.gms.location.LocationListener;
import com.google.android.gms.location.LocationRequest;
import com.google.android.gms.location.LocationResult;
import com.google.android.gms.tasks.CancellationToken;
import com.google.android.gms.tasks.Task;
import com.google.android.gms.tasks.TaskCompletionSource;
import com.google.android.gms.tasks.Tasks;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** The implementation of the fused client; the name comes from a shrinker, as in the real library. */
public final class zzbi implements FusedLocationProviderClient {
    private final Context mContext;

    public zzbi(Context context) {
        mContext = context;
    }

    private static SecurityException denied() {
        boolean granted = Device.isGranted("android.permission.ACCESS_FINE_LOCATION")
                || Device.isGranted("android.permission.ACCESS_COARSE_LOCATION");
        return granted ? null : new SecurityException("Client must have ACCESS_FINE_LOCATION or "
                + "ACCESS_COARSE_LOCATION permission to request locations.");
    }

    private static Executor on(Looper looper) {
        Handler handler = new Handler(looper == null ? Looper.myLooper() : looper);
        return handler::post;
    }

    private Task<Location> once() {
        SecurityException denied = denied();
        if (denied != null) {
            return Tasks.forException(denied);
        }
        TaskCompletionSource<Location> source = new TaskCompletionSource<>();
        LocationEngine.request(source, "fused", 0, 1, source::trySetResult);
        return source.getTask();
    }

    private Task<Void> lasting(Object key, LocationRequest request, Consumer<Location> sink) {
        SecurityException denied = denied();
        if (denied != null) {
            return Tasks.forException(denied);
        }
        LocationEngine.request(key, "fused", request.getIntervalMillis(), request.getMaxUpdates(), sink);
        return Tasks.forResult(null);
    }

    private static Task<Void> end(Object key) {
        LocationEngine.stop(key);
        return Tasks.forResult(null);
    }

    @Override
    public Task<Location> getLastLocation() {
        return once();
    }

    @Override
    public Task<Location> getLastLocation(LastLocationRequest request) {
        return once();
    }

    @Override
    public Task<Location> getCurrentLocation(int priority, CancellationToken cancellationToken) {
        return once();
    }

    @Override
    public Task<Location> getCurrentLocation(CurrentLocationRequest request, CancellationToken cancellationToken) {
        return once();
    }

    @Override
    public Task<Void> requestLocationUpdates(LocationRequest request, LocationCallback callback, Looper looper) {
        return requestLocationUpdates(request, on(looper), callback);
    }

    @Override
    public Task<Void> requestLocationUpdates(LocationRequest request, Executor executor, LocationCallback callback) {
        return lasting(callback, request, location -> executor.execute(
                () -> callback.onLocationResult(LocationResult.create(List.of(location)))));
    }

    @Override
    public Task<Void> requestLocationUpdates(LocationRequest request, LocationListener listener, Looper looper) {
        return requestLocationUpdates(request, on(looper), listener);
    }

    @Override
    public Task<Void> requestLocationUpdates(LocationRequest request, Executor executor, LocationListener listener) {
        return lasting(listener, request, location -> executor.execute(() -> listener.onLocationChanged(location)));
    }

    @Override
    public Task<Void> requestLocationUpdates(LocationRequest request, PendingIntent pendingIntent) {
        return lasting(pendingIntent, request, location -> {
            Intent intent = new Intent();
            intent.putExtra("com.google.android.gms.location.EXTRA_LOCATION_RESULT",
                    LocationResult.create(List.of(location)));
            try {
                pendingIntent.send(mContext, 0, intent);
            } catch (PendingIntent.CanceledException e) {
                LocationEngine.stop(pendingIntent);
            }
        });
    }

    @Override
    public Task<Void> removeLocationUpdates(LocationCallback callback) {
        return end(callback);
    }

    @Override
    public Task<Void> removeLocationUpdates(LocationListener listener) {
        return end(listener);
    }

    @Override
    public Task<Void> removeLocationUpdates(PendingIntent pendingIntent) {
        return end(pendingIntent);
    }
}
