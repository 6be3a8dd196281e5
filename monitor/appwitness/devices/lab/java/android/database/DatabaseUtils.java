package android.database;

/** Static functions for databases and cursors. */
public class DatabaseUtils {
    public DatabaseUtils() {
    }

    /** Copies the rows of a cursor from a position on into a window. */
    static void cursorFillWindow(Cursor cursor, int position, CursorWindow window) {
        int before = cursor.getPosition();
        int columns = cursor.getColumnCount();
        window.clear();
        window.setStartPosition(position);
        window.setNumColumns(columns);
        if (cursor.moveToPosition(position)) {
            int row = position;
            do {
                window.allocRow();
                for (int i = 0; i < columns; i++) {
                    switch (cursor.getType(i)) {
                        case Cursor.FIELD_TYPE_NULL -> window.putNull(row, i);
                        case Cursor.FIELD_TYPE_INTEGER -> window.putLong(cursor.getLong(i), row, i);
                        case Cursor.FIELD_TYPE_FLOAT -> window.putDouble(cursor.getDouble(i), row, i);
                        case Cursor.FIELD_TYPE_BLOB -> window.putBlob(cursor.getBlob(i), row, i);
                        default -> window.putString(cursor.getString(i), row, i);
                    }
                }
                row++;
            } while (cursor.moveToNext());
        }
        cursor.moveToPosition(before);
    }
}
