package android.os;

/** A remotable object; here none is. */
public interface IBinder {
}
