package android.database;

import android.os.Bundle;
import java.util.List;

/** Position, bounds and observers of a cursor; subclasses hold the rows. */
public abstract class AbstractCursor implements CrossProcessCursor {
    @Deprecated
    protected int mPos = -1;
    @Deprecated
    protected boolean mClosed;
    private Bundle mExtras = Bundle.EMPTY;

    public AbstractCursor() {
    }

    @Override
    public abstract int getCount();

    @Override
    public abstract String[] getColumnNames();

    @Override
    public abstract String getString(int column);

    @Override
    public abstract short getShort(int column);

    @Override
    public abstract int getInt(int column);

    @Override
    public abstract long getLong(int column);

    @Override
    public abstract float getFloat(int column);

    @Override
    public abstract double getDouble(int column);

    @Override
    public abstract boolean isNull(int column);

    @Override
    public int getType(int column) {
        return FIELD_TYPE_STRING;
    }

    @Override
    public byte[] getBlob(int column) {
        throw new UnsupportedOperationException("getBlob is not supported");
    }

    @Override
    public CursorWindow getWindow() {
        return null;
    }

    @Override
    public int getColumnCount() {
        return getColumnNames().length;
    }

    @Override
    public void close() {
        mClosed = true;
    }

    @Override
    public boolean onMove(int oldPosition, int newPosition) {
        return true;
    }

    @Override
    public void copyStringToBuffer(int columnIndex, CharArrayBuffer buffer) {
        String text = getString(columnIndex);
        if (text == null) {
            buffer.sizeCopied = 0;
            return;
        }
        if (buffer.data == null || buffer.data.length < text.length()) {
            buffer.data = text.toCharArray();
        } else {
            text.getChars(0, text.length(), buffer.data, 0);
        }
        buffer.sizeCopied = text.length();
    }

    @Override
    public final int getPosition() {
        return mPos;
    }

    @Override
    public final boolean moveToPosition(int position) {
        int count = getCount();
        if (position >= count) {
            mPos = count;
            return false;
        }
        if (position < 0) {
            mPos = -1;
            return false;
        }
        if (position == mPos) {
            return true;
        }
        boolean moved = onMove(mPos, position);
        mPos = moved ? position : -1;
        return moved;
    }

    @Override
    public void fillWindow(int position, CursorWindow window) {
        DatabaseUtils.cursorFillWindow(this, position, window);
    }

    @Override
    public final boolean moveToFirst() {
        return moveToPosition(0);
    }

    @Override
    public final boolean moveToNext() {
        return moveToPosition(mPos + 1);
    }

    @Override
    public int getColumnIndex(String columnName) {
        String name = columnName.substring(columnName.lastIndexOf('.') + 1);
        String[] columns = getColumnNames();
        for (int i = 0; i < columns.length; i++) {
            if (columns[i].equalsIgnoreCase(name)) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public int getColumnIndexOrThrow(String columnName) {
        int index = getColumnIndex(columnName);
        if (index < 0) {
            throw new IllegalArgumentException("column '" + columnName + "' does not exist. Available columns: "
                    + List.of(getColumnNames()));
        }
        return index;
    }

    @Override
    public Bundle getExtras() {
        return mExtras;
    }

    protected void checkPosition() {
        if (mPos == -1 || mPos == getCount()) {
            throw new CursorIndexOutOfBoundsException(mPos, getCount());
        }
    }
}
