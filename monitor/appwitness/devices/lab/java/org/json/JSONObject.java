package org.json;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** A modifiable mapping of names to JSON values; it only writes text: the lab device's apps parse no JSON. */
public class JSONObject {
    public static final Object NULL = new Object() {
        @Override
        public String toString() {
            return "null";
        }
    };
    private final Map<String, Object> nameValuePairs = new LinkedHashMap<>();

    public JSONObject() {
    }

    public JSONObject put(String name, boolean value) throws JSONException {
        return put(name, (Object) value);
    }

    public JSONObject put(String name, double value) throws JSONException {
        return put(name, (Object) value);
    }

    public JSONObject put(String name, int value) throws JSONException {
        return put(name, (Object) value);
    }

    public JSONObject put(String name, long value) throws JSONException {
        return put(name, (Object) value);
    }

    public JSONObject put(String name, Object value) throws JSONException {
        if (name == null) {
            throw new JSONException("Names must be non-null");
        }
        if (value == null) {
            nameValuePairs.remove(name);
        } else {
            nameValuePairs.put(name, value);
        }
        return this;
    }

    public int length() {
        return nameValuePairs.size();
    }

    public boolean has(String name) {
        return nameValuePairs.containsKey(name);
    }

    public Object opt(String name) {
        return nameValuePairs.get(name);
    }

    public Iterator<String> keys() {
        return nameValuePairs.keySet().iterator();
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        JSONText.write(this, out);
        return out.toString();
    }
}
