package android.os;

import java.util.ArrayList;

/** A mapping from string keys to Parcelable and other values. */
public final class Bundle extends BaseBundle implements Cloneable, Parcelable {
    public static final Bundle EMPTY = new Bundle();

    public Bundle() {
    }

    public Bundle(Bundle b) {
        if (b != null) {
            putAll(b);
        }
    }

    public void putAll(Bundle bundle) {
        mMap.putAll(bundle.mMap);
    }

    @Override
    public Object clone() {
        return new Bundle(this);
    }

    public float getFloat(String key) {
        return mMap.get(key) instanceof Float value ? value : 0f;
    }

    public void putCharSequence(String key, CharSequence value) {
        mMap.put(key, value);
    }

    public void putBundle(String key, Bundle value) {
        mMap.put(key, value);
    }

    public void putParcelable(String key, Parcelable value) {
        mMap.put(key, value);
    }

    @SuppressWarnings("unchecked")
    public <T extends Parcelable> T getParcelable(String key) {
        return (T) mMap.get(key);
    }

    public <T> T getParcelable(String key, Class<T> clazz) {
        Object value = mMap.get(key);
        return clazz.isInstance(value) ? clazz.cast(value) : null;
    }

    @SuppressWarnings("unchecked")
    public <T extends Parcelable> ArrayList<T> getParcelableArrayList(String key) {
        return (ArrayList<T>) mMap.get(key);
    }

    @Override
    public String toString() {
        return "Bundle[" + mMap + "]";
    }
}
