package android.location;

import android.os.Parcelable;

/** What a location provider should be like. */
public class Criteria implements Parcelable {
    public static final int NO_REQUIREMENT = 0;
    public static final int ACCURACY_FINE = 1;
    public static final int ACCURACY_COARSE = 2;
    public static final int POWER_LOW = 1;
    private int mAccuracy;
    private int mPower;

    public Criteria() {
    }

    public int getAccuracy() {
        return mAccuracy;
    }

    public void setAccuracy(int accuracy) {
        mAccuracy = accuracy;
    }

    public int getPowerRequirement() {
        return mPower;
    }

    public void setPowerRequirement(int powerRequirement) {
        mPower = powerRequirement;
    }
}
