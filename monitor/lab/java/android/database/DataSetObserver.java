package android.database;

/** Called when a data set changed. */
public abstract class DataSetObserver {
    public DataSetObserver() {
    }

    public void onChanged() {
    }

    public void onInvalidated() {
    }
}
