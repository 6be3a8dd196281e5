package android.content;

import android.content.pm.ProviderInfo;
import android.database.Cursor;
import android.net.Uri;
import android.os.Bundle;
import android.os.CancellationSignal;

/** Provides content to applications. */
public abstract class ContentProvider {
    private Context mContext;
    private String mReadPermission;
    private String mWritePermission;
    private final Transport mTransport = new Transport();

    public ContentProvider() {
    }

    /** Checks permissions and forwards the calls, as the binder object of a provider does. */
    class Transport implements IContentProvider {
        @Override
        public Cursor query(
                String callingPkg, Uri url, String[] projection, Bundle queryArgs, CancellationSignal signal) {
            enforce(mReadPermission, url);
            return ContentProvider.this.query(url, projection, queryArgs, signal);
        }

        @Override
        public Uri insert(String callingPkg, Uri url, ContentValues values) {
            enforce(mWritePermission, url);
            return ContentProvider.this.insert(url, values);
        }

        @Override
        public int update(String callingPkg, Uri url, ContentValues values, String selection, String[] args) {
            enforce(mWritePermission, url);
            return ContentProvider.this.update(url, values, selection, args);
        }

        @Override
        public int delete(String callingPkg, Uri url, String selection, String[] args) {
            enforce(mWritePermission, url);
            return ContentProvider.this.delete(url, selection, args);
        }

        @Override
        public Bundle call(String callingPkg, String authority, String method, String arg, Bundle extras) {
            return ContentProvider.this.call(authority, method, arg, extras);
        }
    }

    private void enforce(String permission, Uri uri) {
        if (permission != null && !com.android.lab.Device.isGranted(permission)) {
            throw new SecurityException("Permission Denial: opening provider " + getClass().getName() + " from "
                    + com.android.lab.Device.packageName() + " that is not exported or requires " + permission
                    + " (uri " + uri + ")");
        }
    }

    IContentProvider getIContentProvider() {
        return mTransport;
    }

    public final Context getContext() {
        return mContext;
    }

    public final Context requireContext() {
        if (mContext == null) {
            throw new IllegalStateException("Cannot find context from the provider.");
        }
        return mContext;
    }

    public void attachInfo(Context context, ProviderInfo info) {
        mContext = context;
        mReadPermission = info.readPermission;
        mWritePermission = info.writePermission;
        onCreate();
    }

    public abstract boolean onCreate();

    public abstract Cursor query(
            Uri uri, String[] projection, String selection, String[] selectionArgs, String sortOrder);

    public Cursor query(
            Uri uri,
            String[] projection,
            String selection,
            String[] selectionArgs,
            String sortOrder,
            CancellationSignal cancellationSignal) {
        return query(uri, projection, selection, selectionArgs, sortOrder);
    }

    public Cursor query(Uri uri, String[] projection, Bundle queryArgs, CancellationSignal cancellationSignal) {
        Bundle args = queryArgs == null ? Bundle.EMPTY : queryArgs;
        return query(
                uri,
                projection,
                args.getString(ContentResolver.QUERY_ARG_SQL_SELECTION),
                args.getStringArray(ContentResolver.QUERY_ARG_SQL_SELECTION_ARGS),
                ContentResolver.sortOrderOf(args),
                cancellationSignal);
    }

    public abstract Uri insert(Uri uri, ContentValues values);

    public abstract int delete(Uri uri, String selection, String[] selectionArgs);

    public abstract int update(Uri uri, ContentValues values, String selection, String[] selectionArgs);

    public Bundle call(String method, String arg, Bundle extras) {
        return null;
    }

    public Bundle call(String authority, String method, String arg, Bundle extras) {
        return call(method, arg, extras);
    }

    public void shutdown() {
    }
}
