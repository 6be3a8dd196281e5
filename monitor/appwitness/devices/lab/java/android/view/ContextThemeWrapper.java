package android.view;

import android.content.Context;
import android.content.ContextWrapper;

/** A context with its own theme; the lab device draws nothing, so the theme is only stored. */
public class ContextThemeWrapper extends ContextWrapper {
    private int mThemeResource;

    public ContextThemeWrapper() {
        super(null);
    }

    @Override
    protected void attachBaseContext(Context newBase) {
        super.attachBaseContext(newBase);
    }
}
