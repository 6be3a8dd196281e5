package android.widget;

import android.content.Context;
import android.view.ViewGroup;

/** Lays out each child over its whole area. */
public class FrameLayout extends ViewGroup {
    public FrameLayout(Context context) {
        super(context);
    }

    @Override
    protected void onLayout(boolean changed, int left, int top, int right, int bottom) {
        for (int i = 0; i < getChildCount(); i++) {
            getChildAt(i).layout(0, 0, right - left, bottom - top);
        }
    }
}
