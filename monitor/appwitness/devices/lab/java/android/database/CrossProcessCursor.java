package android.database;

/** A cursor that can fill a window, so that its rows can cross a process boundary. */
public interface CrossProcessCursor extends Cursor {
    CursorWindow getWindow();

    void fillWindow(int position, CursorWindow window);

    boolean onMove(int oldPosition, int newPosition);
}
