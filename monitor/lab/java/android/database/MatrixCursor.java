package android.database;

import java.util.ArrayList;
import java.util.List;

/** A mutable cursor backed by an array of objects. */
public class MatrixCursor extends AbstractCursor {
    private final String[] columnNames;
    private final List<Object[]> rows = new ArrayList<>();

    public MatrixCursor(String[] columnNames) {
        this(columnNames, 16);
    }

    public MatrixCursor(String[] columnNames, int initialCapacity) {
        this.columnNames = columnNames;
    }

    public void addRow(Object[] columnValues) {
        if (columnValues.length != columnNames.length) {
            throw new IllegalArgumentException("columnNames.length = " + columnNames.length
                    + ", columnValues.length = " + columnValues.length);
        }
        rows.add(columnValues.clone());
    }

    public void addRow(Iterable<?> columnValues) {
        List<Object> values = new ArrayList<>();
        columnValues.forEach(values::add);
        addRow(values.toArray());
    }

    public RowBuilder newRow() {
        Object[] row = new Object[columnNames.length];
        rows.add(row);
        return new RowBuilder(row);
    }

    @Override
    public int getCount() {
        return rows.size();
    }

    @Override
    public String[] getColumnNames() {
        return columnNames;
    }

    private Object get(int column) {
        if (column < 0 || column >= columnNames.length) {
            throw new CursorIndexOutOfBoundsException("Requested column: " + column + ", # of columns: "
                    + columnNames.length);
        }
        checkPosition();
        return rows.get(mPos)[column];
    }

    private double number(int column) {
        Object value = get(column);
        if (value == null) {
            return 0;
        }
        return value instanceof Number number ? number.doubleValue() : Double.parseDouble(value.toString());
    }

    @Override
    public String getString(int column) {
        Object value = get(column);
        return value == null ? null : value.toString();
    }

    @Override
    public short getShort(int column) {
        return (short) getLong(column);
    }

    @Override
    public int getInt(int column) {
        return (int) getLong(column);
    }

    @Override
    public long getLong(int column) {
        Object value = get(column);
        if (value == null) {
            return 0;
        }
        return value instanceof Number number ? number.longValue() : Long.parseLong(value.toString());
    }

    @Override
    public float getFloat(int column) {
        return (float) number(column);
    }

    @Override
    public double getDouble(int column) {
        return number(column);
    }

    @Override
    public byte[] getBlob(int column) {
        return (byte[]) get(column);
    }

    @Override
    public int getType(int column) {
        return CursorWindow.typeOf(get(column));
    }

    @Override
    public boolean isNull(int column) {
        return get(column) == null;
    }

    /** Builds a row, column by column. */
    public class RowBuilder {
        private final Object[] row;
        private int index;

        RowBuilder(Object[] row) {
            this.row = row;
        }

        public RowBuilder add(Object columnValue) {
            row[index++] = columnValue;
            return this;
        }

        public RowBuilder add(String columnName, Object value) {
            int at = getColumnIndex(columnName);
            if (at >= 0) {
                row[at] = value;
            }
            return this;
        }
    }
}
