package android.os;

/** What this process offers to others: they call it through the kernel, also on a thread that waits for an answer. */
public class Binder implements IBinder {
    public Binder() {
    }

    @Override
    public String getInterfaceDescriptor() {
        return null;
    }

    @Override
    public final boolean transact(int code, Parcel data, Parcel reply, int flags) throws RemoteException {
        return onTransact(code, data, reply, flags);
    }

    protected boolean onTransact(int code, Parcel data, Parcel reply, int flags) throws RemoteException {
        return false;
    }

    /** In Android called by native code, with the addresses of the parcels. */
    boolean execTransact(int code, Parcel data, Parcel reply, int flags) {
        try {
            return onTransact(code, data, reply, flags);
        } catch (RemoteException e) {
            throw new RuntimeException(e);
        }
    }
}
