package android.content;

import android.net.Uri;
import android.os.Bundle;
import android.os.Parcelable;
import java.util.ArrayList;

/** An abstract description of an operation to be performed. */
public class Intent implements Parcelable, Cloneable {
    public static final String ACTION_MAIN = "android.intent.action.MAIN";
    public static final String ACTION_BOOT_COMPLETED = "android.intent.action.BOOT_COMPLETED";
    public static final String ACTION_SCREEN_OFF = "android.intent.action.SCREEN_OFF";
    public static final String ACTION_SCREEN_ON = "android.intent.action.SCREEN_ON";
    public static final int FLAG_ACTIVITY_NEW_TASK = 0x10000000;

    private String mAction;
    private Uri mData;
    private String mType;
    private String mPackage;
    private ComponentName mComponent;
    private int mFlags;
    private Bundle mExtras;

    public Intent() {
    }

    public Intent(Intent o) {
        mAction = o.mAction;
        mData = o.mData;
        mType = o.mType;
        mPackage = o.mPackage;
        mComponent = o.mComponent;
        mFlags = o.mFlags;
        mExtras = o.mExtras == null ? null : new Bundle(o.mExtras);
    }

    public Intent(String action) {
        mAction = action;
    }

    public Intent(Context packageContext, Class<?> cls) {
        mComponent = new ComponentName(packageContext, cls);
    }

    @Override
    public Object clone() {
        return new Intent(this);
    }

    public String getAction() {
        return mAction;
    }

    public Uri getData() {
        return mData;
    }

    public String getDataString() {
        return mData == null ? null : mData.toString();
    }

    public String getType() {
        return mType;
    }

    public String getPackage() {
        return mPackage;
    }

    public Intent setPackage(String packageName) {
        mPackage = packageName;
        return this;
    }

    public ComponentName getComponent() {
        return mComponent;
    }

    public Intent setComponent(ComponentName component) {
        mComponent = component;
        return this;
    }

    public Intent setClassName(String packageName, String className) {
        return setComponent(new ComponentName(packageName, className));
    }

    public int getFlags() {
        return mFlags;
    }

    public Bundle getExtras() {
        return mExtras == null ? null : new Bundle(mExtras);
    }

    private Bundle extras() {
        if (mExtras == null) {
            mExtras = new Bundle();
        }
        return mExtras;
    }

    public Intent putExtras(Intent src) {
        if (src.mExtras != null) {
            extras().putAll(src.mExtras);
        }
        return this;
    }

    public Intent putExtra(String name, boolean value) {
        extras().putBoolean(name, value);
        return this;
    }

    public Intent putExtra(String name, int value) {
        extras().putInt(name, value);
        return this;
    }

    public Intent putExtra(String name, long value) {
        extras().putLong(name, value);
        return this;
    }

    public Intent putExtra(String name, double value) {
        extras().putDouble(name, value);
        return this;
    }

    public Intent putExtra(String name, String value) {
        extras().putString(name, value);
        return this;
    }

    public Intent putExtra(String name, CharSequence value) {
        extras().putCharSequence(name, value);
        return this;
    }

    public Intent putExtra(String name, Parcelable value) {
        extras().putParcelable(name, value);
        return this;
    }

    public Intent putExtra(String name, int[] value) {
        extras().putIntArray(name, value);
        return this;
    }

    public Intent putExtra(String name, String[] value) {
        extras().putStringArray(name, value);
        return this;
    }

    public Intent putExtra(String name, Bundle value) {
        extras().putBundle(name, value);
        return this;
    }

    public int[] getIntArrayExtra(String name) {
        return extras().getIntArray(name);
    }

    public String[] getStringArrayExtra(String name) {
        return extras().getStringArray(name);
    }

    public <T extends Parcelable> T getParcelableExtra(String name) {
        return extras().getParcelable(name);
    }

    public <T> T getParcelableExtra(String name, Class<T> clazz) {
        return extras().getParcelable(name, clazz);
    }

    public <T extends Parcelable> ArrayList<T> getParcelableArrayListExtra(String name) {
        return extras().getParcelableArrayList(name);
    }

    /** Copies fields that are unset here from the other intent; the other's extras replace those of the same name. */
    public int fillIn(Intent other, int flags) {
        if (mAction == null) {
            mAction = other.mAction;
        }
        if (mData == null) {
            mData = other.mData;
        }
        putExtras(other);
        return 0;
    }

    @Override
    public String toString() {
        return "Intent { act=" + mAction + " dat=" + mData + " cmp=" + mComponent + " }";
    }
}
