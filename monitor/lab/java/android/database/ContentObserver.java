package android.database;

/** Called when content changed. */
public abstract class ContentObserver {
    public void onChange(boolean selfChange) {
    }
}
