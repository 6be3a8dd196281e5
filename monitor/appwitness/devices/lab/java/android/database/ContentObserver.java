package android.database;

import android.os.Handler;

/** Called when content changed. */
public abstract class ContentObserver {
    public ContentObserver(Handler handler) {
    }

    public void onChange(boolean selfChange) {
    }
}
