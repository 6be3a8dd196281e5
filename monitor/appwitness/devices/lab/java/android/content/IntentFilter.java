package android.content;

import android.os.Parcelable;
import java.util.ArrayList;
import java.util.List;

/** Which intents a receiver accepts; here by action only. */
public class IntentFilter implements Parcelable {
    private final List<String> mActions = new ArrayList<>();

    public IntentFilter() {
    }

    public IntentFilter(String action) {
        addAction(action);
    }

    public final void addAction(String action) {
        mActions.add(action);
    }

    public final boolean hasAction(String action) {
        return mActions.contains(action);
    }

    public final String getAction(int index) {
        return mActions.get(index);
    }
}
