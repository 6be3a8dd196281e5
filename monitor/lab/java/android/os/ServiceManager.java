package android.os;

import com.android.internal.telephony.IPhoneSubInfo;
import com.android.lab.Device;
import java.util.Map;

/** Where the services of the system are found. */
public final class ServiceManager {
    private static final Map<String, IBinder> SERVICES = Map.of(
            "iphonesubinfo", new BinderProxy(IPhoneSubInfo.DESCRIPTOR, ServiceManager::telephone),
            "clipboard", new BinderProxy("android.content.IClipboard", (code, data, reply) -> reply.writeNoException()));

    private ServiceManager() {
    }

    public static IBinder getService(String name) {
        return SERVICES.get(name);
    }

    private static void telephone(int code, Parcel data, Parcel reply) {
        if (code == IPhoneSubInfo.Stub.TRANSACTION_getDeviceId) {
            throw new SecurityException("getDeviceId: The user does not meet the requirements to access device identifiers.");
        }
        reply.writeNoException();
        reply.writeString(code == IPhoneSubInfo.Stub.TRANSACTION_getLine1Number ? Device.fact("line1") : null);
    }
}
