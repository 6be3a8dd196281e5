package android.provider;

/** Columns that every table has. */
public interface BaseColumns {
    String _ID = "_id";
}
