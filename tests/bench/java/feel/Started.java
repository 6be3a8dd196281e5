package feel;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.database.Cursor;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A provider of the app that tells when the app has come up, by a file `started`, and then keeps its main thread. */
public final class Started extends ContentProvider {
    /** The user taps the app's icon then (ActivityThread). */
    private static final int OPENED_MS = 150;

    private final Handler mHandler = new Handler(Looper.getMainLooper());

    @Override
    public boolean onCreate() {
        // The second post comes after the activity, which is scheduled when the icon is tapped.
        mHandler.postDelayed(() -> mHandler.post(Started::tell), OPENED_MS);
        return true;
    }

    private static void tell() {
        try {
            new File("started").createNewFile();
            Thread.sleep(Long.MAX_VALUE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public Cursor query(Uri uri, String[] projection, String selection, String[] selectionArgs, String sortOrder) {
        return null;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        return null;
    }

    @Override
    public int delete(Uri uri, String selection, String[] selectionArgs) {
        return 0;
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] selectionArgs) {
        return 0;
    }
}
