package com.android.providers.contacts;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.UriMatcher;
import android.database.Cursor;
import android.database.SQLException;
import android.net.Uri;
import android.provider.ContactsContract;
import com.android.lab.Device;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** The address book: contacts, raw contacts and their data rows, read-only. */
public final class ContactsProvider2 extends ContentProvider {
    private static final String NAME = "vnd.android.cursor.item/name";
    private static final String PHONE = "vnd.android.cursor.item/phone_v2";
    private static final String EMAIL = "vnd.android.cursor.item/email_v2";
    private static final UriMatcher URIS = new UriMatcher(UriMatcher.NO_MATCH);
    private static final String[] PATHS = {
        "contacts", "contacts/#", "contacts/#/data", "contacts/filter/*", "contacts/lookup/*", "contacts/lookup/*/#",
        "raw_contacts", "raw_contacts/#", "raw_contacts/#/data", "raw_contact_entities",
        "data", "data/#", "data/phones", "data/phones/#", "data/phones/filter/*",
        "data/emails", "data/emails/#", "data/emails/lookup/*", "data/emails/filter/*", "phone_lookup/*",
    };

    static {
        for (int i = 0; i < PATHS.length; i++) {
            URIS.addURI(ContactsContract.AUTHORITY, PATHS[i], i);
        }
    }

    private final List<Map<String, Object>> mContacts = new ArrayList<>();
    private final List<Map<String, Object>> mData = new ArrayList<>();

    @Override
    public boolean onCreate() {
        for (Device.Contact contact : Device.contacts()) {
            Map<String, Object> person = new LinkedHashMap<>();
            person.put("_id", contact.id());
            person.put("lookup", "0r" + contact.id() + "-2C462A3E");
            person.put("display_name", contact.name());
            person.put("sort_key", contact.name());
            person.put("has_phone_number", contact.numbers().isEmpty() ? 0L : 1L);
            person.put("photo_uri", null);
            person.put("starred", 0L);
            person.put("times_contacted", 0L);
            person.put("last_time_contacted", 0L);
            mContacts.add(person);
            addData(person, NAME, contact.name(), null);
            contact.numbers().forEach(number -> addData(person, PHONE, number, number.replaceAll("[^+\\d]", "")));
            contact.mails().forEach(mail -> addData(person, EMAIL, mail, null));
        }
        return true;
    }

    private void addData(Map<String, Object> person, String type, String data1, String data4) {
        Map<String, Object> row = new LinkedHashMap<>(person);
        row.put("_id", (long) mData.size() + 1);
        row.put("contact_id", person.get("_id"));
        row.put("raw_contact_id", person.get("_id"));
        row.put("mimetype", type);
        row.put("is_primary", 0L);
        for (int i = 1; i <= 15; i++) {
            row.put("data" + i, null);
        }
        row.put("data1", data1);
        row.put("data2", type.equals(NAME) ? null : (Object) (type.equals(PHONE) ? 2L : 1L));
        row.put("data4", data4);
        mData.add(row);
    }

    @Override
    public Cursor query(Uri uri, String[] projection, String selection, String[] selectionArgs, String sortOrder) {
        int match = URIS.match(uri);
        if (match == UriMatcher.NO_MATCH) {
            throw new IllegalArgumentException("Unknown URL " + uri);
        }
        List<Map<String, Object>> rows = select(PATHS[match], uri);
        String[] columns = projection != null ? projection : columnsOf(PATHS[match]);
        for (String column : columns) {
            if (!rows.isEmpty() && !rows.get(0).containsKey(column)) {
                throw new IllegalArgumentException("Invalid column " + column);
            }
        }
        rows.removeIf(Selection.parse(selection, selectionArgs).negate());
        int limit = sort(rows, sortOrder);
        String ask = uri.getQueryParameter("limit");
        limit = ask == null ? limit : Math.min(limit, Integer.parseInt(ask));
        return new RowsCursor(columns, rows.subList(0, Math.min(limit, rows.size())));
    }

    private String[] columnsOf(String path) {
        List<Map<String, Object>> table = isContact(path) ? contacts(row -> true)
                : path.startsWith("raw_contacts") && !path.endsWith("data") ? rawContacts(row -> true)
                : path.startsWith("phone_lookup") ? lookup("") : data(row -> true);
        return table.isEmpty() ? new String[] {"_id"} : table.get(0).keySet().toArray(new String[0]);
    }

    private static boolean isContact(String path) {
        return path.startsWith("contacts") && !path.endsWith("data");
    }

    private List<Map<String, Object>> select(String path, Uri uri) {
        List<String> segments = uri.getPathSegments();
        String last = uri.getLastPathSegment();
        return switch (path) {
            case "contacts" -> contacts(row -> true);
            case "contacts/#" -> contacts(row -> is(row, "_id", last));
            case "contacts/filter/*" -> contacts(row -> holds(row, "display_name", last));
            case "contacts/lookup/*", "contacts/lookup/*/#" -> contacts(row -> is(row, "lookup", segments.get(2)));
            case "raw_contacts" -> rawContacts(row -> true);
            case "raw_contacts/#" -> rawContacts(row -> is(row, "_id", last));
            case "contacts/#/data", "raw_contacts/#/data" -> data(row -> is(row, "contact_id", segments.get(1)));
            case "data", "raw_contact_entities" -> data(row -> true);
            case "data/#" -> data(row -> is(row, "_id", last));
            case "data/phones" -> data(row -> is(row, "mimetype", PHONE));
            case "data/phones/#" -> data(row -> is(row, "mimetype", PHONE) && is(row, "_id", last));
            case "data/phones/filter/*" -> data(row -> is(row, "mimetype", PHONE) && found(row, last));
            case "data/emails" -> data(row -> is(row, "mimetype", EMAIL));
            case "data/emails/#" -> data(row -> is(row, "mimetype", EMAIL) && is(row, "_id", last));
            case "data/emails/lookup/*" -> data(row -> is(row, "mimetype", EMAIL) && is(row, "data1", last));
            case "data/emails/filter/*" -> data(row -> is(row, "mimetype", EMAIL) && found(row, last));
            case "phone_lookup/*" -> lookup(last);
            default -> throw new IllegalArgumentException("Unknown URL " + uri);
        };
    }

    private static boolean is(Map<String, Object> row, String column, String value) {
        return value.equals(String.valueOf(row.get(column)));
    }

    private static boolean holds(Map<String, Object> row, String column, String text) {
        return String.valueOf(row.get(column)).toLowerCase(Locale.ROOT).contains(text.toLowerCase(Locale.ROOT));
    }

    private static boolean found(Map<String, Object> row, String text) {
        return holds(row, "display_name", text) || holds(row, "data1", text);
    }

    private List<Map<String, Object>> contacts(Predicate<Map<String, Object>> test) {
        return copy(mContacts, test);
    }

    private List<Map<String, Object>> data(Predicate<Map<String, Object>> test) {
        return copy(mData, test);
    }

    private List<Map<String, Object>> rawContacts(Predicate<Map<String, Object>> test) {
        List<Map<String, Object>> rows = copy(mContacts, test);
        for (Map<String, Object> row : rows) {
            row.put("contact_id", row.get("_id"));
            row.put("deleted", 0L);
        }
        return rows;
    }

    /** Contacts with a number, compared by the last seven digits, the fewest that Android compares. */
    private List<Map<String, Object>> lookup(String number) {
        String digits = number.replaceAll("\\D", "");
        String tail = digits.substring(Math.max(0, digits.length() - 7));
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Map<String, Object> phone : data(row -> is(row, "mimetype", PHONE))) {
            if (String.valueOf(phone.get("data4")).endsWith(tail)) {
                Map<String, Object> row = new LinkedHashMap<>(mContacts.get((int) ((long) phone.get("contact_id") - 1)));
                row.put("contact_id", phone.get("contact_id"));
                row.put("number", phone.get("data1"));
                row.put("normalized_number", phone.get("data4"));
                row.put("type", phone.get("data2"));
                rows.add(row);
            }
        }
        return rows;
    }

    private static List<Map<String, Object>> copy(
            List<Map<String, Object>> table, Predicate<Map<String, Object>> test) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Map<String, Object> row : table) {
            if (test.test(row)) {
                rows.add(new LinkedHashMap<>(row));
            }
        }
        return rows;
    }

    /** Sorts by `column [COLLATE x] [ASC|DESC], ... [LIMIT n]`; returns the limit. */
    private static int sort(List<Map<String, Object>> rows, String sortOrder) {
        if (sortOrder == null || sortOrder.isBlank()) {
            return Integer.MAX_VALUE;
        }
        int limit = Integer.MAX_VALUE;
        String[] parts = sortOrder.split("(?i)\\s*\\bLIMIT\\b\\s*", 2);
        if (parts.length == 2) {
            limit = Integer.parseInt(parts[1].strip());
        }
        Comparator<Map<String, Object>> order = (a, b) -> 0;
        for (String key : parts[0].isBlank() ? new String[0] : parts[0].split(",")) {
            String[] words = key.strip().split("\\s+");
            if (!rows.isEmpty() && !rows.get(0).containsKey(words[0])) {
                throw new SQLException("no such column: " + words[0]);
            }
            Comparator<Map<String, Object>> next = (a, b) -> compare(a.get(words[0]), b.get(words[0]));
            order = order.thenComparing(words[words.length - 1].equalsIgnoreCase("DESC") ? next.reversed() : next);
        }
        rows.sort(order);
        return limit;
    }

    private static int compare(Object a, Object b) {
        if (a == null || b == null) {
            return Boolean.compare(a != null, b != null);
        }
        return a instanceof Long x && b instanceof Long y ? Long.compare(x, y) : a.toString().compareTo(b.toString());
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException("the lab device's address book is read-only: " + uri);
    }

    @Override
    public int delete(Uri uri, String selection, String[] selectionArgs) {
        throw new UnsupportedOperationException("the lab device's address book is read-only: " + uri);
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] selectionArgs) {
        throw new UnsupportedOperationException("the lab device's address book is read-only: " + uri);
    }
}
