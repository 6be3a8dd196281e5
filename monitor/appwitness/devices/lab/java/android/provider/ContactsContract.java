package android.provider;

import android.net.Uri;

/** The contract between the contacts provider and applications. */
public final class ContactsContract {
    public static final String AUTHORITY = "com.android.contacts";
    public static final Uri AUTHORITY_URI = Uri.parse("content://" + AUTHORITY);

    /** Columns of contacts. */
    protected interface ContactsColumns {
        String DISPLAY_NAME = "display_name";
    }

    /** Columns with names of contacts. */
    protected interface ContactNameColumns {
    }

    /** Columns with settings of contacts. */
    protected interface ContactOptionsColumns {
        String STARRED = "starred";
    }

    /** Columns of raw contacts. */
    protected interface RawContactsColumns {
        String CONTACT_ID = "contact_id";
    }

    /** Columns of data rows. */
    protected interface DataColumns {
        String MIMETYPE = "mimetype";
        String DATA1 = "data1";
    }

    /** Columns of data rows joined with their contact. */
    protected interface DataColumnsWithJoins
            extends BaseColumns, DataColumns, RawContactsColumns, ContactsColumns, ContactNameColumns,
                    ContactOptionsColumns {
    }

    /** Columns of phone lookups. */
    protected interface PhoneLookupColumns {
        String CONTACT_ID = "contact_id";
        String NUMBER = "number";
        String TYPE = "type";
        String NORMALIZED_NUMBER = "normalized_number";
    }

    /** Columns common to the data kinds. */
    public static class Contacts
            implements BaseColumns, ContactsColumns, ContactNameColumns, ContactOptionsColumns {
        public static final Uri CONTENT_URI = Uri.withAppendedPath(AUTHORITY_URI, "contacts");
        public static final Uri CONTENT_FILTER_URI = Uri.withAppendedPath(CONTENT_URI, "filter");
        public static final Uri CONTENT_LOOKUP_URI = Uri.withAppendedPath(CONTENT_URI, "lookup");
        public static final String CONTENT_TYPE = "vnd.android.cursor.dir/contact";
        public static final String CONTENT_ITEM_TYPE = "vnd.android.cursor.item/contact";

        Contacts() {
        }
    }

    /** Raw contacts: a row for each account's version of a person. */
    public static final class RawContacts implements BaseColumns, RawContactsColumns, ContactNameColumns {
        public static final Uri CONTENT_URI = Uri.withAppendedPath(AUTHORITY_URI, "raw_contacts");

        RawContacts() {
        }
    }

    /** Data: a row for each name, number or address. */
    public static final class Data implements DataColumnsWithJoins {
        public static final Uri CONTENT_URI = Uri.withAppendedPath(AUTHORITY_URI, "data");
        public static final String CONTENT_TYPE = "vnd.android.cursor.dir/data";

        Data() {
        }
    }

    /** Looks up a contact by a phone number. */
    public static final class PhoneLookup implements BaseColumns, PhoneLookupColumns, ContactsColumns {
        public static final Uri CONTENT_FILTER_URI = Uri.withAppendedPath(AUTHORITY_URI, "phone_lookup");

        PhoneLookup() {
        }
    }

    /** Definitions of the kinds of data. */
    public static final class CommonDataKinds {
        CommonDataKinds() {
        }

        /** Columns common to the kinds. */
        protected interface CommonColumns {
            String DATA = "data1";
            String TYPE = "data2";
            String LABEL = "data3";
        }

        /** A name. */
        public static final class StructuredName implements DataColumnsWithJoins {
            public static final String CONTENT_ITEM_TYPE = "vnd.android.cursor.item/name";

            StructuredName() {
            }
        }

        /** A phone number. */
        public static final class Phone implements DataColumnsWithJoins, CommonColumns {
            public static final String CONTENT_ITEM_TYPE = "vnd.android.cursor.item/phone_v2";
            public static final Uri CONTENT_URI = Uri.withAppendedPath(Data.CONTENT_URI, "phones");
            public static final Uri CONTENT_FILTER_URI = Uri.withAppendedPath(CONTENT_URI, "filter");
            public static final String NUMBER = "data1";
            public static final String NORMALIZED_NUMBER = "data4";

            Phone() {
            }
        }

        /** An e-mail address. */
        public static final class Email implements DataColumnsWithJoins, CommonColumns {
            public static final String CONTENT_ITEM_TYPE = "vnd.android.cursor.item/email_v2";
            public static final Uri CONTENT_URI = Uri.withAppendedPath(Data.CONTENT_URI, "emails");
            public static final Uri CONTENT_LOOKUP_URI = Uri.withAppendedPath(CONTENT_URI, "lookup");
            public static final Uri CONTENT_FILTER_URI = Uri.withAppendedPath(CONTENT_URI, "filter");
            public static final String ADDRESS = "data1";

            Email() {
            }
        }
    }

    public ContactsContract() {
    }
}
