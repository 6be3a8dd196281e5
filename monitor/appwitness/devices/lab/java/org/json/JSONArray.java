package org.json;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A dense indexed sequence of JSON values. */
public class JSONArray {
    private final List<Object> values = new ArrayList<>();

    public JSONArray() {
    }

    public JSONArray(Collection<?> copyFrom) {
        values.addAll(copyFrom);
    }

    public int length() {
        return values.size();
    }

    public JSONArray put(Object value) {
        values.add(value);
        return this;
    }

    public Object opt(int index) {
        return index < 0 || index >= values.size() ? null : values.get(index);
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        JSONText.write(this, out);
        return out.toString();
    }
}
