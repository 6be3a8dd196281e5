package android.os;

/** Thrown when a transaction fails. */
public class RemoteException extends Exception {
    public RemoteException() {
    }
}
