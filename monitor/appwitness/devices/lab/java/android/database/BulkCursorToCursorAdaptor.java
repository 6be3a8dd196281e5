package android.database;

/** The client's side of a cursor whose rows were transferred from the provider in a window. */
public final class BulkCursorToCursorAdaptor extends AbstractWindowedCursor {
    private final String[] mColumns;
    private final int mCount;

    public BulkCursorToCursorAdaptor(String[] columns, CursorWindow window) {
        mColumns = columns;
        mCount = window.getNumRows();
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
