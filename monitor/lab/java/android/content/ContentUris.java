package android.content;

import android.net.Uri;

/** Reads and appends the id at the end of a content URI. */
public class ContentUris {
    public ContentUris() {
    }

    public static long parseId(Uri contentUri) {
        String last = contentUri.getLastPathSegment();
        return last == null ? -1 : Long.parseLong(last);
    }

    public static Uri withAppendedId(Uri contentUri, long id) {
        return contentUri.buildUpon().appendEncodedPath(String.valueOf(id)).build();
    }
}
