package android.view;

import android.content.Context;
import android.content.ContextWrapper;

/** A context with a theme of its own; the lab device draws nothing, so the theme is only remembered. */
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
