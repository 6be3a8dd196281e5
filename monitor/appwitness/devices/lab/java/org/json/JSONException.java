package org.json;

/** Thrown when JSON is not as expected. */
public class JSONException extends Exception {
    public JSONException(String s) {
        super(s);
    }
}
