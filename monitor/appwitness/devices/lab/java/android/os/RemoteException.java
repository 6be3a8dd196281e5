package android.os;

/** A transaction that did not get through. */
public class RemoteException extends Exception {
    public RemoteException() {
    }
}
