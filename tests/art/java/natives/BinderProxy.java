package android.os;

/** This process's end of a service; the other end answers with a phone number. */
public final class BinderProxy {
    private final String descriptor;

    public BinderProxy(String descriptor) {
        this.descriptor = descriptor;
    }

    public String getInterfaceDescriptor() {
        return descriptor;
    }

    public boolean transact(int code, Parcel data, Parcel reply, int flags) {
        return transactNative(code, data, reply, flags);
    }

    private boolean transactNative(int code, Parcel data, Parcel reply, int flags) {
        reply.set("+15550042");
        return true;
    }
}
