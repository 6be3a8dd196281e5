package android.net;

import android.os.Parcelable;
import java.io.UnsupportedEncodingException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Immutable URI reference. */
public abstract class Uri implements Parcelable, Comparable<Uri> {
    public static final Uri EMPTY = new StringUri("");
    private static final String ALLOWED = "_-!.~'()*";

    private Uri() {
    }

    public static Uri parse(String uriString) {
        return new StringUri(uriString);
    }

    public static Uri withAppendedPath(Uri baseUri, String pathSegment) {
        return baseUri.buildUpon().appendEncodedPath(pathSegment).build();
    }

    public static String encode(String s) {
        return encode(s, null);
    }

    public static String encode(String s, String allow) {
        if (s == null) {
            return null;
        }
        StringBuilder out = new StringBuilder();
        for (byte b : s.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
                    || ALLOWED.indexOf(c) >= 0 || allow != null && c < 128 && allow.indexOf(c) >= 0;
            out.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return out.toString();
    }

    public static String decode(String s) {
        try {
            return s == null ? null : URLDecoder.decode(s.replace("+", "%2B"), "UTF-8");
        } catch (UnsupportedEncodingException e) {
            throw new AssertionError(e);
        }
    }

    public abstract String getScheme();

    public abstract String getAuthority();

    public abstract String getHost();

    public abstract int getPort();

    public abstract String getEncodedQuery();

    public abstract String getFragment();

    public abstract List<String> getPathSegments();

    public abstract String getLastPathSegment();

    public abstract Builder buildUpon();

    public List<String> getQueryParameters(String key) {
        List<String> values = new ArrayList<>();
        for (String[] pair : pairs()) {
            if (pair[0].equals(key)) {
                values.add(pair[1]);
            }
        }
        return values;
    }

    public String getQueryParameter(String key) {
        List<String> values = getQueryParameters(key);
        return values.isEmpty() ? null : values.get(0);
    }

    private List<String[]> pairs() {
        List<String[]> pairs = new ArrayList<>();
        String query = getEncodedQuery();
        if (query != null && !query.isEmpty()) {
            for (String part : query.split("&")) {
                int at = part.indexOf('=');
                pairs.add(new String[] {
                    decode(at < 0 ? part : part.substring(0, at)), at < 0 ? "" : decode(part.substring(at + 1).replace("+", " "))
                });
            }
        }
        return pairs;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Uri && toString().equals(o.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    @Override
    public int compareTo(Uri other) {
        return toString().compareTo(other.toString());
    }

    @Override
    public abstract String toString();

    private static class StringUri extends Uri {
        private final String uriString;
        private final String scheme;
        private final String ssp;
        private final String fragment;
        private final String authority;
        private final String path;
        private final String query;

        StringUri(String uriString) {
            this.uriString = uriString;
            int hash = uriString.indexOf('#');
            fragment = hash < 0 ? null : uriString.substring(hash + 1);
            String rest = hash < 0 ? uriString : uriString.substring(0, hash);
            int colon = rest.indexOf(':');
            int slash = rest.indexOf('/');
            boolean hasScheme = colon > 0 && (slash < 0 || colon < slash);
            scheme = hasScheme ? rest.substring(0, colon) : null;
            ssp = hasScheme ? rest.substring(colon + 1) : rest;
            if (hasScheme && !ssp.startsWith("/")) {
                authority = null;
                path = null;
                query = null;
                return;
            }
            int ask = ssp.indexOf('?');
            query = ask < 0 ? null : ssp.substring(ask + 1);
            String head = ask < 0 ? ssp : ssp.substring(0, ask);
            if (head.startsWith("//")) {
                int end = head.indexOf('/', 2);
                authority = end < 0 ? head.substring(2) : head.substring(2, end);
                path = end < 0 ? "" : head.substring(end);
            } else {
                authority = null;
                path = head;
            }
        }

        @Override
        public String getScheme() {
            return scheme;
        }

        @Override
        public String getAuthority() {
            return decode(authority);
        }

        @Override
        public String getHost() {
            if (authority == null) {
                return null;
            }
            String hostPort = authority.substring(authority.lastIndexOf('@') + 1);
            int colon = hostPort.lastIndexOf(':');
            return decode(colon < 0 ? hostPort : hostPort.substring(0, colon));
        }

        @Override
        public int getPort() {
            int colon = authority == null ? -1 : authority.lastIndexOf(':');
            try {
                return colon < 0 ? -1 : Integer.parseInt(authority.substring(colon + 1));
            } catch (NumberFormatException e) {
                return -1;
            }
        }

        @Override
        public String getEncodedQuery() {
            return query;
        }

        @Override
        public String getFragment() {
            return decode(fragment);
        }

        @Override
        public List<String> getPathSegments() {
            List<String> segments = new ArrayList<>();
            if (path != null) {
                for (String part : path.split("/")) {
                    if (!part.isEmpty()) {
                        segments.add(decode(part));
                    }
                }
            }
            return Collections.unmodifiableList(segments);
        }

        @Override
        public String getLastPathSegment() {
            List<String> segments = getPathSegments();
            return segments.isEmpty() ? null : segments.get(segments.size() - 1);
        }

        @Override
        public Builder buildUpon() {
            Builder builder = new Builder().scheme(scheme);
            return (path == null ? builder.encodedOpaquePart(ssp)
                    : builder.encodedAuthority(authority).encodedPath(path).encodedQuery(query)).encodedFragment(fragment);
        }

        @Override
        public String toString() {
            return uriString;
        }
    }

    /** Builds or changes URI references. */
    public static final class Builder {
        private String scheme;
        private String opaque;
        private String authority;
        private String path = "";
        private String query;
        private String fragment;

        public Builder() {
        }

        public Builder scheme(String scheme) {
            this.scheme = scheme;
            return this;
        }

        public Builder encodedOpaquePart(String opaquePart) {
            opaque = opaquePart;
            return this;
        }

        public Builder authority(String authority) {
            return encodedAuthority(encode(authority, "@:"));
        }

        public Builder encodedAuthority(String authority) {
            this.authority = authority;
            return this;
        }

        public Builder path(String path) {
            return encodedPath(encode(path, "/"));
        }

        public Builder encodedPath(String path) {
            this.path = path == null ? "" : path;
            return this;
        }

        public Builder appendPath(String newSegment) {
            return appendEncodedPath(encode(newSegment));
        }

        public Builder appendEncodedPath(String newSegment) {
            path = (path.endsWith("/") ? path : path + "/") + (newSegment.startsWith("/") ? newSegment.substring(1) : newSegment);
            return this;
        }

        public Builder query(String query) {
            return encodedQuery(encode(query, "=&"));
        }

        public Builder encodedQuery(String query) {
            this.query = query;
            return this;
        }

        public Builder appendQueryParameter(String key, String value) {
            String pair = encode(key) + "=" + encode(value);
            query = query == null || query.isEmpty() ? pair : query + "&" + pair;
            return this;
        }

        public Builder encodedFragment(String fragment) {
            this.fragment = fragment;
            return this;
        }

        public Uri build() {
            return parse(toString());
        }

        @Override
        public String toString() {
            StringBuilder out = new StringBuilder();
            if (scheme != null) {
                out.append(scheme).append(':');
            }
            if (opaque != null) {
                out.append(opaque);
            } else {
                if (authority != null) {
                    out.append("//").append(authority);
                    if (!path.isEmpty() && !path.startsWith("/")) {
                        out.append('/');
                    }
                }
                out.append(path);
                if (query != null) {
                    out.append('?').append(query);
                }
            }
            return fragment == null ? out.toString() : out.append('#').append(fragment).toString();
        }
    }
}
