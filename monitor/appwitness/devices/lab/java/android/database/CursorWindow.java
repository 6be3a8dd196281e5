package android.database;

import android.os.Parcelable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A buffer of rows, filled by a provider and read through a cursor. */
public class CursorWindow implements Parcelable, AutoCloseable {
    private final String mName;
    private final List<Object[]> mRows = new ArrayList<>();
    private int mStartPos;
    private int mColumns;

    public CursorWindow(String name) {
        this(name, 2 << 20);
    }

    public CursorWindow(String name, long windowSizeBytes) {
        mName = name;
    }

    public void clear() {
        mStartPos = 0;
        mRows.clear();
    }

    public int getNumRows() {
        return mRows.size();
    }

    public boolean setNumColumns(int columnNum) {
        mColumns = columnNum;
        return true;
    }

    public boolean allocRow() {
        return mRows.add(new Object[mColumns]);
    }

    public int getStartPosition() {
        return mStartPos;
    }

    public void setStartPosition(int pos) {
        mStartPos = pos;
    }

    @Deprecated
    public boolean isNull(int row, int column) {
        return getType(row, column) == Cursor.FIELD_TYPE_NULL;
    }

    public int getType(int row, int column) {
        return typeOf(cell(row, column));
    }

    public byte[] getBlob(int row, int column) {
        Object cell = cell(row, column);
        return cell instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) cell;
    }

    public String getString(int row, int column) {
        Object cell = cell(row, column);
        return cell == null ? null : cell.toString();
    }

    public void copyStringToBuffer(int row, int column, CharArrayBuffer buffer) {
        Object cell = cell(row, column);
        char[] text = cell == null ? new char[0] : cell.toString().toCharArray();
        if (buffer.data == null || buffer.data.length < text.length) {
            buffer.data = text;
        } else {
            System.arraycopy(text, 0, buffer.data, 0, text.length);
        }
        buffer.sizeCopied = text.length;
    }

    public long getLong(int row, int column) {
        Object cell = cell(row, column);
        if (cell instanceof Number number) {
            return number.longValue();
        }
        return cell instanceof String text ? (long) leadingNumber(text) : 0;
    }

    public double getDouble(int row, int column) {
        Object cell = cell(row, column);
        if (cell instanceof Number number) {
            return number.doubleValue();
        }
        return cell instanceof String text ? leadingNumber(text) : 0;
    }

    public short getShort(int row, int column) {
        return (short) getLong(row, column);
    }

    public int getInt(int row, int column) {
        return (int) getLong(row, column);
    }

    public float getFloat(int row, int column) {
        return (float) getDouble(row, column);
    }

    public boolean putBlob(byte[] value, int row, int column) {
        return put(value, row, column);
    }

    public boolean putString(String value, int row, int column) {
        return put(value, row, column);
    }

    public boolean putLong(long value, int row, int column) {
        return put(value, row, column);
    }

    public boolean putDouble(double value, int row, int column) {
        return put(value, row, column);
    }

    public boolean putNull(int row, int column) {
        return put(null, row, column);
    }

    @Override
    public void close() {
    }

    @Override
    public String toString() {
        return mName + " {" + mRows.size() + " rows}";
    }

    static int typeOf(Object cell) {
        if (cell == null) {
            return Cursor.FIELD_TYPE_NULL;
        }
        if (cell instanceof byte[]) {
            return Cursor.FIELD_TYPE_BLOB;
        }
        if (cell instanceof Float || cell instanceof Double) {
            return Cursor.FIELD_TYPE_FLOAT;
        }
        return cell instanceof Number ? Cursor.FIELD_TYPE_INTEGER : Cursor.FIELD_TYPE_STRING;
    }

    /** The number at the beginning of a text, as strtoll and strtod read it in the native window. */
    private static double leadingNumber(String text) {
        var number = java.util.regex.Pattern.compile("^\\s*[+-]?\\d+(\\.\\d+)?([eE][+-]?\\d+)?").matcher(text);
        return number.find() ? Double.parseDouble(number.group().trim()) : 0;
    }

    private Object cell(int row, int column) {
        int at = row - mStartPos;
        if (at < 0 || at >= mRows.size() || column < 0 || column >= mColumns) {
            throw new IllegalStateException("Couldn't read row " + row + ", col " + column + " from CursorWindow.  "
                    + "Make sure the Cursor is initialized correctly before accessing data from it.");
        }
        return mRows.get(at)[column];
    }

    private boolean put(Object value, int row, int column) {
        mRows.get(row - mStartPos)[column] = value;
        return true;
    }
}
