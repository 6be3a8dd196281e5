package com.android.lab;

import android.location.Location;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.SystemClock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** The device's location and who receives it; the device stands still and reports three fixes to a lasting request. */
public final class LocationEngine {
    private static final int FIRST_FIX_MS = 200;
    private static final int LEAST_INTERVAL_MS = 250;
    private static final int FIXES = 3;
    private static final Map<Object, Runnable> REQUESTS = new LinkedHashMap<>();
    private static Handler sHandler;

    private LocationEngine() {
    }

    private static synchronized Handler handler() {
        if (sHandler == null) {
            HandlerThread thread = new HandlerThread("lab-location");
            thread.setDaemon(true);
            thread.start();
            sHandler = new Handler(thread.getLooper());
        }
        return sHandler;
    }

    /** The present position, as a provider reports it. */
    public static Location fix(String provider) {
        String[] at = Device.fact("location").split(",");
        Location location = new Location(provider);
        location.setLatitude(Double.parseDouble(at[0]));
        location.setLongitude(Double.parseDouble(at[1]));
        location.setAltitude(4.0);
        location.setAccuracy(provider.equals("gps") ? 4.2f : 18.5f);
        location.setTime(System.currentTimeMillis());
        location.setElapsedRealtimeNanos(SystemClock.elapsedRealtimeNanos());
        return location;
    }

    /** Reports fixes to `sink`: at most `updates`, and at most three; `stop(key)` ends it earlier. */
    public static void request(Object key, String provider, long intervalMs, int updates, Consumer<Location> sink) {
        long interval = Math.max(LEAST_INTERVAL_MS, Math.min(intervalMs, 1000));
        Runnable report = new Runnable() {
            private int mSent;

            @Override
            public void run() {
                synchronized (REQUESTS) {
                    if (REQUESTS.get(key) != this) {
                        return;
                    }
                    mSent++;
                    if (mSent == updates) {
                        REQUESTS.remove(key);
                    } else if (mSent < FIXES) {
                        handler().postDelayed(this, interval);
                    }
                }
                sink.accept(fix(provider));
            }
        };
        synchronized (REQUESTS) {
            Runnable before = REQUESTS.put(key, report);
            if (before != null) {
                handler().removeCallbacks(before);
            }
        }
        handler().postDelayed(report, FIRST_FIX_MS);
    }

    /** Ends what was requested under `key`. */
    public static void stop(Object key) {
        synchronized (REQUESTS) {
            Runnable report = REQUESTS.remove(key);
            if (report != null) {
                handler().removeCallbacks(report);
            }
        }
    }
}
