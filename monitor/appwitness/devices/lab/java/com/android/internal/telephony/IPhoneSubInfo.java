package com.android.internal.telephony;

import android.os.IBinder;
import android.os.Parcel;
import android.os.RemoteException;

/** The calls to the telephony service, as generated from their interface description. */
public interface IPhoneSubInfo {
    String DESCRIPTOR = "com.android.internal.telephony.IPhoneSubInfo";

    String getLine1Number(String callingPackage, String callingFeatureId) throws RemoteException;

    /** Both ends of the connection. */
    abstract class Stub {
        public static final int TRANSACTION_getDeviceId = IBinder.FIRST_CALL_TRANSACTION;
        public static final int TRANSACTION_getLine1Number = IBinder.FIRST_CALL_TRANSACTION + 10;
        public static final int TRANSACTION_getVoiceMailNumber = IBinder.FIRST_CALL_TRANSACTION + 15;

        public static IPhoneSubInfo asInterface(IBinder binder) {
            return new Proxy(binder);
        }

        private static class Proxy implements IPhoneSubInfo {
            private final IBinder mRemote;

            Proxy(IBinder remote) {
                mRemote = remote;
            }

            @Override
            public String getLine1Number(String callingPackage, String callingFeatureId) throws RemoteException {
                Parcel data = Parcel.obtain();
                Parcel reply = Parcel.obtain();
                try {
                    data.writeInterfaceToken(DESCRIPTOR);
                    data.writeString(callingPackage);
                    data.writeString(callingFeatureId);
                    mRemote.transact(TRANSACTION_getLine1Number, data, reply, 0);
                    reply.readException();
                    return reply.readString();
                } finally {
                    reply.recycle();
                    data.recycle();
                }
            }
        }
    }
}
