package android.os;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** A mapping from string keys to values; the part that Bundle shares with PersistableBundle. */
public class BaseBundle {
    final Map<String, Object> mMap = new LinkedHashMap<>();

    BaseBundle() {
    }

    public int size() {
        return mMap.size();
    }

    public void clear() {
        mMap.clear();
    }

    public Object get(String key) {
        return mMap.get(key);
    }

    public void remove(String key) {
        mMap.remove(key);
    }

    public Set<String> keySet() {
        return mMap.keySet();
    }

    public void putBoolean(String key, boolean value) {
        mMap.put(key, value);
    }

    public void putInt(String key, int value) {
        mMap.put(key, value);
    }

    public void putLong(String key, long value) {
        mMap.put(key, value);
    }

    public void putDouble(String key, double value) {
        mMap.put(key, value);
    }

    public void putString(String key, String value) {
        mMap.put(key, value);
    }

    public void putIntArray(String key, int[] value) {
        mMap.put(key, value);
    }

    public void putStringArray(String key, String[] value) {
        mMap.put(key, value);
    }

    public int getInt(String key) {
        return getInt(key, 0);
    }

    public int getInt(String key, int defaultValue) {
        return mMap.get(key) instanceof Integer value ? value : defaultValue;
    }

    public long getLong(String key) {
        return getLong(key, 0);
    }

    public long getLong(String key, long defaultValue) {
        return mMap.get(key) instanceof Long value ? value : defaultValue;
    }

    public double getDouble(String key) {
        return getDouble(key, 0);
    }

    public double getDouble(String key, double defaultValue) {
        return mMap.get(key) instanceof Double value ? value : defaultValue;
    }

    public String getString(String key) {
        return getString(key, null);
    }

    public String getString(String key, String defaultValue) {
        return mMap.get(key) instanceof String value ? value : defaultValue;
    }

    public int[] getIntArray(String key) {
        return mMap.get(key) instanceof int[] value ? value : null;
    }

    public String[] getStringArray(String key) {
        return mMap.get(key) instanceof String[] value ? value : null;
    }
}
