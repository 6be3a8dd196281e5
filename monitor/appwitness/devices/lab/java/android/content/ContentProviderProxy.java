package android.content;

import android.database.BulkCursorToCursorAdaptor;
import android.database.CrossProcessCursor;
import android.database.CrossProcessCursorWrapper;
import android.database.Cursor;
import android.database.CursorWindow;
import android.net.Uri;
import android.os.Bundle;
import android.os.CancellationSignal;

/** The client's side of another app's provider: rows are transferred in a window. */
final class ContentProviderProxy implements IContentProvider {
    private final IContentProvider mRemote;

    ContentProviderProxy(IContentProvider remote) {
        mRemote = remote;
    }

    @Override
    public Cursor query(String callingPkg, Uri url, String[] projection, Bundle queryArgs, CancellationSignal signal) {
        Cursor cursor = mRemote.query(callingPkg, url, projection, queryArgs, signal);
        if (cursor == null) {
            return null;
        }
        CrossProcessCursor crossing = cursor instanceof CrossProcessCursor c ? c : new CrossProcessCursorWrapper(cursor);
        CursorWindow window = crossing.getWindow();
        if (window == null) {
            window = new CursorWindow(url.toString());
            crossing.fillWindow(0, window);
        }
        return new BulkCursorToCursorAdaptor(cursor.getColumnNames(), window);
    }

    @Override
    public Uri insert(String callingPkg, Uri url, ContentValues values) {
        return mRemote.insert(callingPkg, url, values);
    }

    @Override
    public int update(String callingPkg, Uri url, ContentValues values, String selection, String[] selectionArgs) {
        return mRemote.update(callingPkg, url, values, selection, selectionArgs);
    }

    @Override
    public int delete(String callingPkg, Uri url, String selection, String[] selectionArgs) {
        return mRemote.delete(callingPkg, url, selection, selectionArgs);
    }

    @Override
    public Bundle call(String callingPkg, String authority, String method, String arg, Bundle extras) {
        return mRemote.call(callingPkg, authority, method, arg, extras);
    }
}
