package android.os;

/** A value that can cross a process boundary. Nothing crosses one here, so only the type matters. */
public interface Parcelable {
}
