package standin;

/** A cursor over rows of texts. */
public class Rows implements android.database.Cursor {
  private final String[] columns;
  private final String[][] rows;
  private int at = -1;

  public Rows(String[] columns, String[][] rows) {
    this.columns = columns;
    this.rows = rows;
  }

  public int getCount() {
    return rows.length;
  }

  public int getPosition() {
    return at;
  }

  public String[] getColumnNames() {
    return columns;
  }

  public String getString(int column) {
    return rows[at][column];
  }

  public boolean moveToNext() {
    return ++at < rows.length;
  }

  public void close() {}
}
