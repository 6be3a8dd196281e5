package android.database;

/** Thrown when a cursor is read after it has been closed. */
public class StaleDataException extends RuntimeException {
    public StaleDataException() {
    }

    public StaleDataException(String description) {
        super(description);
    }
}
