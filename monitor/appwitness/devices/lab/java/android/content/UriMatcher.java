package android.content;

import android.net.Uri;
import java.util.ArrayList;
import java.util.List;

/** Matches content URIs against patterns; `#` is a number, `*` any text. */
public class UriMatcher {
    public static final int NO_MATCH = -1;
    private final int mDefault;
    private final List<Entry> mEntries = new ArrayList<>();

    private record Entry(String authority, String[] path, int code) {
        boolean matches(Uri uri) {
            List<String> segments = uri.getPathSegments();
            if (!authority.equals(uri.getAuthority()) || segments.size() != path.length) {
                return false;
            }
            for (int i = 0; i < path.length; i++) {
                String segment = segments.get(i);
                boolean fits = switch (path[i]) {
                    case "*" -> true;
                    case "#" -> !segment.isEmpty() && segment.chars().allMatch(c -> c >= '0' && c <= '9');
                    default -> path[i].equals(segment);
                };
                if (!fits) {
                    return false;
                }
            }
            return true;
        }
    }

    public UriMatcher(int code) {
        mDefault = code;
    }

    public void addURI(String authority, String path, int code) {
        mEntries.add(new Entry(authority, path == null || path.isEmpty() ? new String[0] : path.split("/"), code));
    }

    public int match(Uri uri) {
        for (Entry entry : mEntries) {
            if (entry.matches(uri)) {
                return entry.code;
            }
        }
        return mDefault;
    }
}
