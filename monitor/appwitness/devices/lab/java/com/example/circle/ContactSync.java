package com.example.circle;

import android.content.ContentResolver;
import android.database.Cursor;
import android.os.Handler;
import android.os.HandlerThread;
import android.provider.ContactsContract.CommonDataKinds.Email;
import android.provider.ContactsContract.CommonDataKinds.Phone;
import android.provider.ContactsContract.CommonDataKinds.StructuredName;
import android.provider.ContactsContract.Data;
import android.util.Log;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Reads the whole address book and sends names and hashed numbers to Circle's own server. */
final class ContactSync {
    private static final String TAG = "ContactSync";
    private static final long BATCH_MS = 250;

    private final ContentResolver mResolver;
    private final Handler mWorker;
    private byte[] mBatch;

    /** One person in the address book. */
    private static final class Person {
        String name;
        String phoneHash;
        String email;
    }

    ContactSync(ContentResolver resolver) {
        mResolver = resolver;
        HandlerThread thread = new HandlerThread("contact-sync");
        thread.start();
        mWorker = new Handler(thread.getLooper());
    }

    /** Reads and sends, on the worker thread. */
    void start() {
        mWorker.postDelayed(() -> {
            try {
                mBatch = pack(readAll());
            } catch (IOException | JSONException e) {
                Log.w(TAG, "nothing packed", e);
                return;
            }
            mWorker.postDelayed(this::send, BATCH_MS);
        }, BATCH_MS);
    }

    /** Sends the packed data once more. */
    void sendAgain() {
        mWorker.postDelayed(this::send, BATCH_MS);
    }

    private Map<Long, Person> readAll() {
        Map<Long, Person> people = new LinkedHashMap<>();
        String[] projection = {Data.CONTACT_ID, Data.DISPLAY_NAME, Data.MIMETYPE, Data.DATA1};
        String selection = Data.MIMETYPE + " IN (?, ?, ?)";
        String[] kinds = {StructuredName.CONTENT_ITEM_TYPE, Phone.CONTENT_ITEM_TYPE, Email.CONTENT_ITEM_TYPE};
        try (Cursor cursor = mResolver.query(
                Data.CONTENT_URI, projection, selection, kinds, Data.CONTACT_ID + " ASC", null)) {
            int id = cursor.getColumnIndexOrThrow(Data.CONTACT_ID);
            int name = cursor.getColumnIndexOrThrow(Data.DISPLAY_NAME);
            int kind = cursor.getColumnIndexOrThrow(Data.MIMETYPE);
            int data = cursor.getColumnIndexOrThrow(Data.DATA1);
            while (cursor.moveToNext()) {
                Person person = people.computeIfAbsent(cursor.getLong(id), key -> new Person());
                person.name = cursor.getString(name);
                switch (cursor.getString(kind)) {
                    case Phone.CONTENT_ITEM_TYPE -> person.phoneHash = hash(cursor.getString(data));
                    case Email.CONTENT_ITEM_TYPE -> person.email = cursor.getString(data);
                    default -> {
                    }
                }
            }
        }
        return people;
    }

    private static String hash(String number) {
        try {
            byte[] digits = number.replaceAll("[^+0-9]", "").getBytes(StandardCharsets.US_ASCII);
            StringBuilder hex = new StringBuilder();
            for (byte b : MessageDigest.getInstance("SHA-256").digest(digits)) {
                hex.append(String.format("%02x", b));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] pack(Map<Long, Person> people) throws IOException, JSONException {
        JSONArray list = new JSONArray();
        for (Person person : people.values()) {
            list.put(new JSONObject().put("name", person.name).put("phone_sha256", person.phoneHash));
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(new JSONObject().put("people", list).toString().getBytes(StandardCharsets.UTF_8));
        }
        return packed.toByteArray();
    }

    private void send() {
        if (mBatch == null) {
            return;
        }
        try {
            Log.i(TAG, "sync: " + CircleApi.post("/contacts/sync", mBatch));
        } catch (IOException e) {
            Log.w(TAG, "sync failed", e);
        }
    }
}
