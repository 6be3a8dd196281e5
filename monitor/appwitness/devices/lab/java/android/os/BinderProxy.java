package android.os;

/** This process's end of a service in another process; here the lab device plays the other end. */
public final class BinderProxy implements IBinder {
    /** The other end. */
    interface Other {
        void answer(int code, Parcel data, Parcel reply);
    }

    private final String mDescriptor;
    private final Other mOther;

    BinderProxy(String descriptor, Other other) {
        mDescriptor = descriptor;
        mOther = other;
    }

    @Override
    public String getInterfaceDescriptor() throws RemoteException {
        return mDescriptor;
    }

    @Override
    public boolean transact(int code, Parcel data, Parcel reply, int flags) throws RemoteException {
        return transactNative(code, data, reply, flags);
    }

    /** On Android, native code that passes the parcels to the kernel. */
    private boolean transactNative(int code, Parcel data, Parcel reply, int flags) throws RemoteException {
        try {
            data.enforceInterface(mDescriptor);
            mOther.answer(code, data, reply);
        } catch (SecurityException e) {
            reply.recycle();
            reply.writeException(e);
        }
        reply.setDataPosition(0);
        return true;
    }
}
