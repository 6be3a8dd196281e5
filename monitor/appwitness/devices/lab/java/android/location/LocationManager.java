package android.location;

import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;
import android.os.CancellationSignal;
import android.os.Handler;
import android.os.Looper;
import com.android.lab.Device;
import com.android.lab.LocationEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Access to the location services of the system. */
public class LocationManager {
    public static final String NETWORK_PROVIDER = "network";
    public static final String GPS_PROVIDER = "gps";
    public static final String PASSIVE_PROVIDER = "passive";
    public static final String FUSED_PROVIDER = "fused";
    public static final String KEY_LOCATION_CHANGED = "location";
    private static final String FINE = "android.permission.ACCESS_FINE_LOCATION";
    private static final String COARSE = "android.permission.ACCESS_COARSE_LOCATION";

    private final Context mContext;

    public LocationManager(Context context) {
        mContext = context;
    }

    private static void enforce(String provider) {
        if (!Device.isGranted(FINE) && !Device.isGranted(COARSE)) {
            throw new SecurityException("uid " + android.os.Process.myUid() + " does not have " + COARSE + " or "
                    + FINE + ".");
        }
        if (provider.equals(GPS_PROVIDER) && !Device.isGranted(FINE)) {
            throw new SecurityException("\"" + provider + "\" location provider requires " + FINE + " permission.");
        }
    }

    private static Executor on(Looper looper) {
        Handler handler = looper == null ? new Handler() : new Handler(looper);
        return handler::post;
    }

    public List<String> getAllProviders() {
        return List.of(PASSIVE_PROVIDER, NETWORK_PROVIDER, FUSED_PROVIDER, GPS_PROVIDER);
    }

    public List<String> getProviders(boolean enabledOnly) {
        return getAllProviders();
    }

    public String getBestProvider(Criteria criteria, boolean enabledOnly) {
        return criteria.getAccuracy() == Criteria.ACCURACY_COARSE ? NETWORK_PROVIDER : GPS_PROVIDER;
    }

    public boolean isProviderEnabled(String provider) {
        return getAllProviders().contains(provider);
    }

    public boolean isLocationEnabled() {
        return true;
    }

    public Location getLastKnownLocation(String provider) {
        enforce(provider);
        return isProviderEnabled(provider) ? LocationEngine.fix(provider) : null;
    }

    public void getCurrentLocation(
            String provider, CancellationSignal cancellationSignal, Executor executor, Consumer<Location> consumer) {
        getCurrentLocation(provider, new LocationRequest.Builder(0).build(), cancellationSignal, executor, consumer);
    }

    public void getCurrentLocation(
            String provider,
            LocationRequest locationRequest,
            CancellationSignal cancellationSignal,
            Executor executor,
            Consumer<Location> consumer) {
        enforce(provider);
        GetCurrentLocationTransport transport = new GetCurrentLocationTransport(executor, consumer);
        LocationEngine.request(transport, provider, 0, 1, transport::deliver);
        if (cancellationSignal != null) {
            cancellationSignal.setOnCancelListener(() -> LocationEngine.stop(transport));
        }
    }

    @Deprecated
    public void requestSingleUpdate(String provider, LocationListener listener, Looper looper) {
        request(provider, 0, 1, listener, on(looper));
    }

    @Deprecated
    public void requestSingleUpdate(Criteria criteria, LocationListener listener, Looper looper) {
        request(getBestProvider(criteria, true), 0, 1, listener, on(looper));
    }

    @Deprecated
    public void requestSingleUpdate(String provider, PendingIntent pendingIntent) {
        request(provider, 0, 1, pendingIntent);
    }

    @Deprecated
    public void requestSingleUpdate(Criteria criteria, PendingIntent pendingIntent) {
        request(getBestProvider(criteria, true), 0, 1, pendingIntent);
    }

    public void requestLocationUpdates(
            String provider, long minTimeMs, float minDistanceM, LocationListener listener) {
        requestLocationUpdates(provider, minTimeMs, minDistanceM, listener, null);
    }

    public void requestLocationUpdates(
            String provider, long minTimeMs, float minDistanceM, LocationListener listener, Looper looper) {
        request(provider, minTimeMs, Integer.MAX_VALUE, listener, on(looper));
    }

    public void requestLocationUpdates(
            String provider, long minTimeMs, float minDistanceM, Executor executor, LocationListener listener) {
        request(provider, minTimeMs, Integer.MAX_VALUE, listener, executor);
    }

    public void requestLocationUpdates(
            long minTimeMs, float minDistanceM, Criteria criteria, LocationListener listener, Looper looper) {
        request(getBestProvider(criteria, true), minTimeMs, Integer.MAX_VALUE, listener, on(looper));
    }

    public void requestLocationUpdates(
            long minTimeMs, float minDistanceM, Criteria criteria, Executor executor, LocationListener listener) {
        request(getBestProvider(criteria, true), minTimeMs, Integer.MAX_VALUE, listener, executor);
    }

    public void requestLocationUpdates(
            String provider, long minTimeMs, float minDistanceM, PendingIntent pendingIntent) {
        request(provider, minTimeMs, Integer.MAX_VALUE, pendingIntent);
    }

    public void requestLocationUpdates(
            long minTimeMs, float minDistanceM, Criteria criteria, PendingIntent pendingIntent) {
        request(getBestProvider(criteria, true), minTimeMs, Integer.MAX_VALUE, pendingIntent);
    }

    public void requestLocationUpdates(
            String provider, LocationRequest locationRequest, Executor executor, LocationListener listener) {
        request(provider, locationRequest.getIntervalMillis(), locationRequest.getMaxUpdates(), listener, executor);
    }

    public void requestLocationUpdates(
            String provider, LocationRequest locationRequest, PendingIntent pendingIntent) {
        request(provider, locationRequest.getIntervalMillis(), locationRequest.getMaxUpdates(), pendingIntent);
    }

    public void removeUpdates(LocationListener listener) {
        LocationEngine.stop(listener);
    }

    public void removeUpdates(PendingIntent pendingIntent) {
        LocationEngine.stop(pendingIntent);
    }

    private void request(String provider, long minTimeMs, int updates, LocationListener listener, Executor executor) {
        if (listener == null) {
            throw new IllegalArgumentException("invalid null listener");
        }
        enforce(provider);
        LocationListenerTransport transport = new LocationListenerTransport(listener, executor);
        LocationEngine.request(listener, provider, minTimeMs, updates, transport::onLocationChanged);
    }

    private void request(String provider, long minTimeMs, int updates, PendingIntent pendingIntent) {
        enforce(provider);
        LocationEngine.request(pendingIntent, provider, minTimeMs, updates, location -> {
            Intent intent = new Intent();
            intent.putExtra(KEY_LOCATION_CHANGED, location);
            try {
                pendingIntent.send(mContext, 0, intent);
            } catch (PendingIntent.CanceledException e) {
                LocationEngine.stop(pendingIntent);
            }
        });
    }

    private static final class LocationListenerTransport {
        private final LocationListener mListener;
        private final Executor mExecutor;

        LocationListenerTransport(LocationListener listener, Executor executor) {
            mListener = listener;
            mExecutor = executor;
        }

        void onLocationChanged(Location location) {
            List<Location> locations = new ArrayList<>(List.of(location));
            mExecutor.execute(() -> mListener.onLocationChanged(locations));
        }
    }

    private static final class GetCurrentLocationTransport {
        private final Executor mExecutor;
        private final Consumer<Location> mConsumer;

        GetCurrentLocationTransport(Executor executor, Consumer<Location> consumer) {
            mExecutor = executor;
            mConsumer = consumer;
        }

        void deliver(Location location) {
            mExecutor.execute(() -> mConsumer.accept(location));
        }
    }
}
