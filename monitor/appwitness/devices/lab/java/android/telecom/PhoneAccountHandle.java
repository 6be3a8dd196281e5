package android.telecom;

import android.content.ComponentName;
import android.os.Parcelable;

/** Identifies an account that makes calls. */
public final class PhoneAccountHandle implements Parcelable {
    private final ComponentName mComponentName;
    private final String mId;

    public PhoneAccountHandle(ComponentName componentName, String id) {
        mComponentName = componentName;
        mId = id;
    }

    public ComponentName getComponentName() {
        return mComponentName;
    }

    public String getId() {
        return mId;
    }
}
