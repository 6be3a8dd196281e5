package org.json;

import java.util.Iterator;

/** Writes JSON text as Android does: `/` is escaped, other characters stay as they are. */
final class JSONText {
    private JSONText() {
    }

    static void write(Object value, StringBuilder out) {
        if (value == null || value == JSONObject.NULL) {
            out.append("null");
        } else if (value instanceof JSONObject object) {
            out.append('{');
            for (Iterator<String> keys = object.keys(); keys.hasNext();) {
                String key = keys.next();
                quote(key, out);
                out.append(':');
                write(object.opt(key), out);
                out.append(keys.hasNext() ? "," : "");
            }
            out.append('}');
        } else if (value instanceof JSONArray array) {
            out.append('[');
            for (int i = 0; i < array.length(); i++) {
                out.append(i > 0 ? "," : "");
                write(array.opt(i), out);
            }
            out.append(']');
        } else if (value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Double number && number == number.longValue()) {
            out.append(number.longValue());
        } else if (value instanceof Number) {
            out.append(value);
        } else {
            quote(value.toString(), out);
        }
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (char c : text.toCharArray()) {
            switch (c) {
                case '"', '\\', '/' -> out.append('\\').append(c);
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\f' -> out.append("\\f");
                default -> out.append(c <= 0x1f ? String.format("\\u%04x", (int) c) : String.valueOf(c));
            }
        }
        out.append('"');
    }
}
