package android.telephony;

import com.android.lab.Device;

/** The permission checks that the telephony services make. */
final class NumberAccess {
    private static final String[] ANY = {
        "android.permission.READ_PHONE_NUMBERS", "android.permission.READ_SMS", "android.permission.READ_PHONE_STATE",
    };

    private NumberAccess() {
    }

    /** Checks access to the device's own number: since Android 11 it needs READ_PHONE_NUMBERS or READ_SMS. */
    static void enforce(String message) {
        if (!Device.isGranted(ANY[0]) && !Device.isGranted(ANY[1])) {
            throw new SecurityException(message + ": Neither user " + android.os.Process.myUid()
                    + " nor current process has " + String.join(", ", ANY) + ".");
        }
    }

    static void enforcePhoneState(String message) {
        if (!Device.isGranted(ANY[2])) {
            throw new SecurityException(message + ": Neither user " + android.os.Process.myUid()
                    + " nor current process has " + ANY[2] + ".");
        }
    }

    /** The error for identifiers of device and SIM: since Android 10 no ordinary app may read them. */
    static SecurityException identifiers(String message) {
        return new SecurityException(message + ": The user " + android.os.Process.myUid()
                + " does not meet the requirements to access device identifiers.");
    }
}
