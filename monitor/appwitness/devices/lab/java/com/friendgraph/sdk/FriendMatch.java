package com.friendgraph.sdk;

import android.util.Log;
import com.android.volley.toolbox.HurlStack;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.json.JSONException;
import org.json.JSONObject;

/** Finds people by the MD5 of their numbers, which is as identifying as the number itself. */
public final class FriendMatch {
    private static final String TAG = "FriendMatch";
    private static final String ENDPOINT = "https://sync.friendgraph.test/v2/match";

    private FriendMatch() {
    }

    /** Asks the server who knows `number`; blocks. */
    public static void find(String app, String number) {
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(number.getBytes(StandardCharsets.UTF_8));
            JSONObject body = new JSONObject().put("app", app).put("me", HexFormat.of().formatHex(digest));
            HurlStack.send("FriendGraph/3.1", ENDPOINT, body.toString());
        } catch (NoSuchAlgorithmException | JSONException e) {
            Log.w(TAG, "no match", e);
        }
    }
}
