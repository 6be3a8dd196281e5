package android.content;

import android.database.ContentObserver;
import android.database.CrossProcessCursorWrapper;
import android.database.Cursor;
import android.net.Uri;
import android.os.Bundle;
import android.os.CancellationSignal;

/** Gives applications access to content providers. */
public abstract class ContentResolver {
    public static final String SCHEME_CONTENT = "content";
    public static final String QUERY_ARG_SQL_SELECTION = "android:query-arg-sql-selection";
    public static final String QUERY_ARG_SQL_SELECTION_ARGS = "android:query-arg-sql-selection-args";
    public static final String QUERY_ARG_SQL_SORT_ORDER = "android:query-arg-sql-sort-order";
    public static final String QUERY_ARG_SORT_COLUMNS = "android:query-arg-sort-columns";
    public static final String QUERY_ARG_SORT_DIRECTION = "android:query-arg-sort-direction";
    public static final String QUERY_ARG_LIMIT = "android:query-arg-limit";
    public static final int QUERY_SORT_DIRECTION_DESCENDING = 1;

    private final String mPackageName;

    public ContentResolver(Context context) {
        mPackageName = context == null ? null : context.getPackageName();
    }

    /** The provider with an authority, or null; a ContentProvider of this app, or a proxy for another app's. */
    ContentProvider provider(String authority) {
        return null;
    }

    private IContentProvider acquireProvider(Uri uri) {
        return SCHEME_CONTENT.equals(uri.getScheme()) ? acquireProvider(uri.getAuthority()) : null;
    }

    private IContentProvider acquireProvider(String authority) {
        ContentProvider provider = authority == null ? null : provider(authority);
        if (provider == null) {
            return null;
        }
        boolean ours = mPackageName.equals(provider.getContext().getPackageName());
        return ours ? provider.getIContentProvider() : new ContentProviderProxy(provider.getIContentProvider());
    }

    private IContentProvider requireProvider(Uri uri) {
        IContentProvider provider = acquireProvider(uri);
        if (provider == null) {
            throw new IllegalArgumentException("Unknown URL " + uri);
        }
        return provider;
    }

    public final Cursor query(
            Uri uri, String[] projection, String selection, String[] selectionArgs, String sortOrder) {
        return query(uri, projection, selection, selectionArgs, sortOrder, null);
    }

    public final Cursor query(
            Uri uri,
            String[] projection,
            String selection,
            String[] selectionArgs,
            String sortOrder,
            CancellationSignal cancellationSignal) {
        return query(uri, projection, createSqlQueryBundle(selection, selectionArgs, sortOrder), cancellationSignal);
    }

    public final Cursor query(
            Uri uri, String[] projection, Bundle queryArgs, CancellationSignal cancellationSignal) {
        if (cancellationSignal != null) {
            cancellationSignal.throwIfCanceled();
        }
        IContentProvider provider = acquireProvider(uri);
        if (provider == null) {
            return null;
        }
        Cursor cursor = provider.query(mPackageName, uri, projection, queryArgs, cancellationSignal);
        if (cursor == null) {
            return null;
        }
        cursor.getCount();
        return new CursorWrapperInner(cursor);
    }

    public final Uri insert(Uri url, ContentValues values) {
        return requireProvider(url).insert(mPackageName, url, values);
    }

    public final int delete(Uri url, String where, String[] selectionArgs) {
        return requireProvider(url).delete(mPackageName, url, where, selectionArgs);
    }

    public final int update(Uri uri, ContentValues values, String where, String[] selectionArgs) {
        return requireProvider(uri).update(mPackageName, uri, values, where, selectionArgs);
    }

    public final Bundle call(Uri uri, String method, String arg, Bundle extras) {
        return call(uri.getAuthority(), method, arg, extras);
    }

    public final Bundle call(String authority, String method, String arg, Bundle extras) {
        IContentProvider provider = acquireProvider(authority);
        if (provider == null) {
            throw new IllegalArgumentException("Unknown authority " + authority);
        }
        return provider.call(mPackageName, authority, method, arg, extras);
    }

    public final ContentProviderClient acquireContentProviderClient(Uri uri) {
        return acquireContentProviderClient(uri.getAuthority());
    }

    public final ContentProviderClient acquireContentProviderClient(String name) {
        IContentProvider provider = acquireProvider(name);
        return provider == null ? null : new ContentProviderClient(mPackageName, provider, name);
    }

    public final void registerContentObserver(Uri uri, boolean notifyForDescendants, ContentObserver observer) {
        // No provider of this device ever reports a change of its content.
    }

    static Bundle createSqlQueryBundle(String selection, String[] selectionArgs, String sortOrder) {
        if (selection == null && selectionArgs == null && sortOrder == null) {
            return null;
        }
        Bundle args = new Bundle();
        if (selection != null) {
            args.putString(QUERY_ARG_SQL_SELECTION, selection);
        }
        if (selectionArgs != null) {
            args.putStringArray(QUERY_ARG_SQL_SELECTION_ARGS, selectionArgs);
        }
        if (sortOrder != null) {
            args.putString(QUERY_ARG_SQL_SORT_ORDER, sortOrder);
        }
        return args;
    }

    static String sortOrderOf(Bundle args) {
        String order = args.getString(QUERY_ARG_SQL_SORT_ORDER);
        String[] columns = args.getStringArray(QUERY_ARG_SORT_COLUMNS);
        if (order == null && columns != null) {
            boolean down = args.getInt(QUERY_ARG_SORT_DIRECTION) == QUERY_SORT_DIRECTION_DESCENDING;
            order = String.join(", ", columns) + (down ? " DESC" : " ASC");
        }
        int limit = args.getInt(QUERY_ARG_LIMIT, -1);
        return limit < 0 ? order : (order == null ? "_id" : order) + " LIMIT " + limit;
    }

    private final class CursorWrapperInner extends CrossProcessCursorWrapper {
        CursorWrapperInner(Cursor cursor) {
            super(cursor);
        }
    }
}
