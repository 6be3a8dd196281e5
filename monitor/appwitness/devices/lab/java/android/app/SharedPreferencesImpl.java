package android.app;

import android.content.SharedPreferences;
import com.android.lab.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Preferences in memory: each run begins with those that, according to the device's facts, an earlier run left. */
final class SharedPreferencesImpl implements SharedPreferences {
    private final Map<String, Object> mMap = new LinkedHashMap<>();
    private final List<OnSharedPreferenceChangeListener> mListeners = new ArrayList<>();

    SharedPreferencesImpl(String name) {
        Device.under("preferences." + name + ".").forEach((key, value) -> mMap.put(key, typed(value)));
    }

    private static Object typed(String value) {
        if (value.equals("true") || value.equals("false")) {
            return Boolean.valueOf(value);
        }
        return value.matches("-?\\d{1,9}") ? (Object) Integer.valueOf(value) : value;
    }

    private final class EditorImpl implements Editor {
        private final Map<String, Object> mModified = new LinkedHashMap<>();
        private boolean mClear;

        private Editor put(String key, Object value) {
            mModified.put(key, value);
            return this;
        }

        @Override
        public Editor putString(String key, String value) {
            return put(key, value);
        }

        @Override
        public Editor putInt(String key, int value) {
            return put(key, value);
        }

        @Override
        public Editor putLong(String key, long value) {
            return put(key, value);
        }

        @Override
        public Editor putBoolean(String key, boolean value) {
            return put(key, value);
        }

        @Override
        public Editor remove(String key) {
            return put(key, null);
        }

        @Override
        public Editor clear() {
            mClear = true;
            return this;
        }

        @Override
        public boolean commit() {
            apply();
            return true;
        }

        @Override
        public void apply() {
            List<OnSharedPreferenceChangeListener> listeners;
            synchronized (mMap) {
                if (mClear) {
                    mMap.clear();
                }
                mModified.forEach((key, value) -> {
                    if (value == null) {
                        mMap.remove(key);
                    } else {
                        mMap.put(key, value);
                    }
                });
                listeners = List.copyOf(mListeners);
            }
            for (OnSharedPreferenceChangeListener listener : listeners) {
                mModified.keySet().forEach(key -> listener.onSharedPreferenceChanged(SharedPreferencesImpl.this, key));
            }
        }
    }

    @SuppressWarnings("unchecked")
    private <T> T get(String key, T otherwise) {
        synchronized (mMap) {
            return mMap.containsKey(key) ? (T) mMap.get(key) : otherwise;
        }
    }

    @Override
    public Map<String, ?> getAll() {
        synchronized (mMap) {
            return new LinkedHashMap<>(mMap);
        }
    }

    @Override
    public String getString(String key, String defValue) {
        return get(key, defValue);
    }

    @Override
    public int getInt(String key, int defValue) {
        return get(key, defValue);
    }

    @Override
    public long getLong(String key, long defValue) {
        return get(key, defValue);
    }

    @Override
    public float getFloat(String key, float defValue) {
        return get(key, defValue);
    }

    @Override
    public boolean getBoolean(String key, boolean defValue) {
        return get(key, defValue);
    }

    @Override
    public boolean contains(String key) {
        return get(key, null) != null;
    }

    @Override
    public Editor edit() {
        return new EditorImpl();
    }
}
