package android.provider;

import android.content.ContentResolver;
import com.android.lab.Device;
import java.util.Map;

/** Global system-level preferences. */
public final class Settings {
    public Settings() {
    }

    /** Thrown when a setting does not exist. */
    public static class SettingNotFoundException extends Exception {
        public SettingNotFoundException(String msg) {
            super(msg);
        }
    }

    private static int number(String name, String value) throws SettingNotFoundException {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new SettingNotFoundException(name);
        }
    }

    /** A table of names and values. */
    public static class NameValueTable implements BaseColumns {
        public static final String NAME = "name";
        public static final String VALUE = "value";

        public NameValueTable() {
        }
    }

    /** Secure settings: readable, not writable by apps. */
    public static final class Secure extends NameValueTable {
        public static final String ANDROID_ID = "android_id";
        public static final String LOCATION_MODE = "location_mode";

        public Secure() {
        }

        /** Uses no static table: this class may be initialised before the device is known, as in a zygote. */
        public static String getString(ContentResolver resolver, String name) {
            return ANDROID_ID.equals(name) ? Device.fact("android.id") : LOCATION_MODE.equals(name) ? "3" : null;
        }

        public static int getInt(ContentResolver cr, String name) throws SettingNotFoundException {
            return number(name, getString(cr, name));
        }

        public static int getInt(ContentResolver cr, String name, int def) {
            try {
                return getInt(cr, name);
            } catch (SettingNotFoundException e) {
                return def;
            }
        }
    }

    /** System settings. */
    public static final class System extends NameValueTable {
        public System() {
        }

        public static String getString(ContentResolver resolver, String name) {
            return null;
        }

        public static int getInt(ContentResolver cr, String name, int def) {
            return def;
        }
    }

    /** Settings of the whole device. */
    public static final class Global extends NameValueTable {
        public static final String AIRPLANE_MODE_ON = "airplane_mode_on";
        public static final String DEVICE_NAME = "device_name";
        private static final Map<String, String> VALUES = Map.of(AIRPLANE_MODE_ON, "0", DEVICE_NAME, "Lab device");

        public Global() {
        }

        public static String getString(ContentResolver resolver, String name) {
            return VALUES.get(name);
        }

        public static int getInt(ContentResolver cr, String name) throws SettingNotFoundException {
            return number(name, getString(cr, name));
        }

        public static int getInt(ContentResolver cr, String name, int def) {
            try {
                return getInt(cr, name);
            } catch (SettingNotFoundException e) {
                return def;
            }
        }
    }
}
