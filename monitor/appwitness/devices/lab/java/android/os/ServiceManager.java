package android.os;

import com.android.internal.telephony.IPhoneSubInfo;
import com.android.lab.Device;
import java.util.Map;

/** Finds the services of the system. */
public final class ServiceManager {
    private static final Map<String, IBinder> SERVICES = Map.of(
            "iphonesubinfo", new BinderProxy(IPhoneSubInfo.DESCRIPTOR, ServiceManager::telephone),
            "power", new BinderProxy("android.os.IPowerManager", ServiceManager::power),
            "clipboard", new BinderProxy("android.content.IClipboard", ServiceManager::clipboard));
    private static final int ADD_LISTENER = 7;

    private ServiceManager() {
    }

    public static IBinder getService(String name) {
        return SERVICES.get(name);
    }

    private static void power(int code, Parcel data, Parcel reply) {
        reply.writeNoException();
        reply.writeString("on");
    }

    /** Calls listeners at once, before the reply. */
    private static void clipboard(int code, Parcel data, Parcel reply) {
        if (code == ADD_LISTENER) {
            ((Binder) data.readStrongBinder()).execTransact(IBinder.FIRST_CALL_TRANSACTION, data, reply, 0);
        }
        reply.writeNoException();
    }

    private static void telephone(int code, Parcel data, Parcel reply) {
        if (code == IPhoneSubInfo.Stub.TRANSACTION_getDeviceId) {
            throw new SecurityException("getDeviceId: The user does not meet the requirements to access device identifiers.");
        }
        reply.writeNoException();
        reply.writeString(code == IPhoneSubInfo.Stub.TRANSACTION_getLine1Number ? Device.fact("line1") : null);
    }
}
