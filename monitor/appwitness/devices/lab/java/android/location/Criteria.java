package android.location;

import android.os.Parcelable;

/** What a location provider should be like. */
public class Criteria implements Parcelable {
    public static final int ACCURACY_COARSE = 2;
    private int mAccuracy;

    public Criteria() {
    }

    public int getAccuracy() {
        return mAccuracy;
    }
}
