package android.content;

import android.os.Parcelable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** A set of values that a ContentResolver can process. */
public final class ContentValues implements Parcelable {
    private final Map<String, Object> mMap = new LinkedHashMap<>();

    public ContentValues() {
    }

    public void put(String key, String value) {
        mMap.put(key, value);
    }

    public void put(String key, Integer value) {
        mMap.put(key, value);
    }

    public void put(String key, Long value) {
        mMap.put(key, value);
    }

    public void put(String key, Double value) {
        mMap.put(key, value);
    }

    public void put(String key, Boolean value) {
        mMap.put(key, value);
    }

    public void put(String key, byte[] value) {
        mMap.put(key, value);
    }

    public int size() {
        return mMap.size();
    }

    public void remove(String key) {
        mMap.remove(key);
    }

    public void clear() {
        mMap.clear();
    }

    public Object get(String key) {
        return mMap.get(key);
    }

    public Set<String> keySet() {
        return mMap.keySet();
    }
}
