package android.content;

import android.database.CrossProcessCursorWrapper;
import android.database.Cursor;
import android.net.Uri;
import android.os.Bundle;
import android.os.CancellationSignal;

/** Talks to one provider; obtained from ContentResolver.acquireContentProviderClient. */
public class ContentProviderClient implements AutoCloseable {
    private final IContentProvider mContentProvider;
    private final String mPackageName;
    private final String mAuthority;

    ContentProviderClient(String packageName, IContentProvider provider, String authority) {
        mPackageName = packageName;
        mContentProvider = provider;
        mAuthority = authority;
    }

    public Cursor query(Uri url, String[] projection, String selection, String[] selectionArgs, String sortOrder) {
        return query(url, projection, selection, selectionArgs, sortOrder, null);
    }

    public Cursor query(
            Uri uri,
            String[] projection,
            String selection,
            String[] selectionArgs,
            String sortOrder,
            CancellationSignal cancellationSignal) {
        return query(uri, projection, ContentResolver.createSqlQueryBundle(selection, selectionArgs, sortOrder),
                cancellationSignal);
    }

    public Cursor query(Uri uri, String[] projection, Bundle queryArgs, CancellationSignal cancellationSignal) {
        Cursor cursor = mContentProvider.query(mPackageName, uri, projection, queryArgs, cancellationSignal);
        return cursor == null ? null : new CursorWrapperInner(cursor);
    }

    public Uri insert(Uri url, ContentValues initialValues) {
        return mContentProvider.insert(mPackageName, url, initialValues);
    }

    public int delete(Uri url, String selection, String[] selectionArgs) {
        return mContentProvider.delete(mPackageName, url, selection, selectionArgs);
    }

    public int update(Uri url, ContentValues values, String selection, String[] selectionArgs) {
        return mContentProvider.update(mPackageName, url, values, selection, selectionArgs);
    }

    public Bundle call(String method, String arg, Bundle extras) {
        return mContentProvider.call(mPackageName, mAuthority, method, arg, extras);
    }

    @Override
    public void close() {
    }

    @Deprecated
    public boolean release() {
        return true;
    }

    private static final class CursorWrapperInner extends CrossProcessCursorWrapper {
        CursorWrapperInner(Cursor cursor) {
            super(cursor);
        }
    }
}
