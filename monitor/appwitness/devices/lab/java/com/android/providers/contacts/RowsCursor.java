package com.android.providers.contacts;

import android.database.AbstractWindowedCursor;
import android.database.CursorWindow;
import java.util.List;
import java.util.Map;

/** A cursor over the provider's rows, which are in a window from the start, as in an SQLite cursor. */
final class RowsCursor extends AbstractWindowedCursor {
    private final String[] mColumns;
    private final int mCount;

    RowsCursor(String[] columns, List<Map<String, Object>> rows) {
        mColumns = columns;
        mCount = rows.size();
        CursorWindow window = new CursorWindow("contacts");
        window.setNumColumns(columns.length);
        for (int row = 0; row < mCount; row++) {
            window.allocRow();
            for (int i = 0; i < columns.length; i++) {
                Object value = rows.get(row).get(columns[i]);
                if (value instanceof Number number) {
                    window.putLong(number.longValue(), row, i);
                } else {
                    window.putString((String) value, row, i);
                }
            }
        }
        setWindow(window);
    }

    @Override
    public int getCount() {
        return mCount;
    }

    @Override
    public String[] getColumnNames() {
        return mColumns;
    }
}
