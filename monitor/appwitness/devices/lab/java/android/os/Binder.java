package android.os;

/** An object that other processes can call through the kernel, even on a thread that is waiting for a reply. */
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

    /** On Android, native code calls this with the addresses of the parcels. */
    boolean execTransact(int code, Parcel data, Parcel reply, int flags) {
        try {
            return onTransact(code, data, reply, flags);
        } catch (RemoteException e) {
            throw new RuntimeException(e);
        }
    }
}
