package android.database;

/** A wrapper whose rows can cross a process boundary. */
public class CrossProcessCursorWrapper extends CursorWrapper implements CrossProcessCursor {
    public CrossProcessCursorWrapper(Cursor cursor) {
        super(cursor);
    }

    @Override
    public void fillWindow(int position, CursorWindow window) {
        if (mCursor instanceof CrossProcessCursor cursor) {
            cursor.fillWindow(position, window);
            return;
        }
        DatabaseUtils.cursorFillWindow(mCursor, position, window);
    }

    @Override
    public CursorWindow getWindow() {
        return mCursor instanceof CrossProcessCursor cursor ? cursor.getWindow() : null;
    }

    @Override
    public boolean onMove(int oldPosition, int newPosition) {
        return !(mCursor instanceof CrossProcessCursor cursor) || cursor.onMove(oldPosition, newPosition);
    }
}
