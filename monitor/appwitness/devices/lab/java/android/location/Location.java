package android.location;

import android.os.Bundle;
import android.os.Parcelable;
import android.os.SystemClock;

/** A geographic location. */
public class Location implements Parcelable {
    private String mProvider;
    private double mLatitude;
    private double mLongitude;
    private double mAltitude;
    private float mAccuracy;
    private float mSpeed;
    private float mBearing;
    private boolean mHasAltitude;
    private boolean mHasAccuracy;
    private long mTime = System.currentTimeMillis();
    private long mElapsedRealtimeNanos;
    private Bundle mExtras;

    public Location(String provider) {
        mProvider = provider;
    }

    public void set(Location l) {
        mProvider = l.mProvider;
        mLatitude = l.mLatitude;
        mLongitude = l.mLongitude;
        mAltitude = l.mAltitude;
        mAccuracy = l.mAccuracy;
        mSpeed = l.mSpeed;
        mBearing = l.mBearing;
        mHasAltitude = l.mHasAltitude;
        mHasAccuracy = l.mHasAccuracy;
        mTime = l.mTime;
        mElapsedRealtimeNanos = l.mElapsedRealtimeNanos;
        mExtras = l.mExtras == null ? null : new Bundle(l.mExtras);
    }

    public String getProvider() {
        return mProvider;
    }

    public double getLatitude() {
        return mLatitude;
    }

    public void setLatitude(double latitudeDegrees) {
        mLatitude = latitudeDegrees;
    }

    public double getLongitude() {
        return mLongitude;
    }

    public void setLongitude(double longitudeDegrees) {
        mLongitude = longitudeDegrees;
    }

    public double getAltitude() {
        return mAltitude;
    }

    public void setAltitude(double altitudeMeters) {
        mAltitude = altitudeMeters;
        mHasAltitude = true;
    }

    public float getAccuracy() {
        return mAccuracy;
    }

    public void setAccuracy(float horizontalAccuracyMeters) {
        mAccuracy = horizontalAccuracyMeters;
        mHasAccuracy = true;
    }

    public float getSpeed() {
        return mSpeed;
    }

    public float getBearing() {
        return mBearing;
    }

    public long getTime() {
        return mTime;
    }

    public void setTime(long timeMs) {
        mTime = timeMs;
    }

    public long getElapsedRealtimeNanos() {
        return mElapsedRealtimeNanos;
    }

    public void setElapsedRealtimeNanos(long elapsedRealtimeNs) {
        mElapsedRealtimeNanos = elapsedRealtimeNs;
    }

    public Bundle getExtras() {
        return mExtras;
    }

    @Override
    public String toString() {
        return "Location[" + mProvider + " " + mLatitude + "," + mLongitude + " hAcc=" + mAccuracy
                + " et=" + (mElapsedRealtimeNanos == 0 ? SystemClock.elapsedRealtime() : mElapsedRealtimeNanos / 1_000_000)
                + "]";
    }
}
