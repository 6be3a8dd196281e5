package android.database;

/** A cursor was read after it had been closed. */
public class StaleDataException extends RuntimeException {
    public StaleDataException() {
    }

    public StaleDataException(String description) {
        super(description);
    }
}
