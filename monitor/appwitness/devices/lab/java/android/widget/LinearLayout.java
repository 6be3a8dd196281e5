package android.widget;

import android.content.Context;
import android.view.View;
import android.view.ViewGroup;

/** Lays out its children in a row or a column, all of the same size. */
public class LinearLayout extends ViewGroup {
    public static final int VERTICAL = 1;
    private int mOrientation;

    public LinearLayout(Context context) {
        super(context);
    }

    public void setOrientation(int orientation) {
        mOrientation = orientation;
        requestLayout();
    }

    @Override
    protected void onLayout(boolean changed, int l, int t, int r, int b) {
        int visible = 0;
        for (int i = 0; i < getChildCount(); i++) {
            visible += getChildAt(i).getVisibility() == GONE ? 0 : 1;
        }
        int at = 0;
        for (int i = 0; i < getChildCount(); i++) {
            View child = getChildAt(i);
            if (child.getVisibility() == GONE) {
                child.layout(0, 0, 0, 0);
            } else if (mOrientation == VERTICAL) {
                child.layout(0, (b - t) * at / visible, r - l, (b - t) * (at + 1) / visible);
                at++;
            } else {
                child.layout((r - l) * at / visible, 0, (r - l) * (at + 1) / visible, b - t);
                at++;
            }
        }
    }
}
