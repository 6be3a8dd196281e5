package android.content;

import android.database.Cursor;
import android.net.Uri;
import android.os.Bundle;
import android.os.CancellationSignal;

/** The calls to a content provider, in this process or another one. */
public interface IContentProvider {
    Cursor query(String callingPkg, Uri url, String[] projection, Bundle queryArgs, CancellationSignal signal);

    Uri insert(String callingPkg, Uri url, ContentValues values);

    int update(String callingPkg, Uri url, ContentValues values, String selection, String[] selectionArgs);

    int delete(String callingPkg, Uri url, String selection, String[] selectionArgs);

    Bundle call(String callingPkg, String authority, String method, String arg, Bundle extras);
}
