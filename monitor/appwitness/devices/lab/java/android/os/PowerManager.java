package android.os;

import com.android.lab.Device;

/** Reports the device's power state; here, whether the screen is on. */
public final class PowerManager {
    /** The application gets it as a system service. */
    public PowerManager(android.content.Context context) {
    }

    public boolean isInteractive() {
        return Device.isScreenOn();
    }
}
