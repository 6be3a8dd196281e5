package android.view;

import android.content.Context;
import java.util.ArrayList;
import java.util.List;

/** A view that contains other views. */
public abstract class ViewGroup extends View implements ViewParent, ViewManager {
    private final List<View> mChildren = new ArrayList<>();
    private View mTouchTarget;

    /** What a view tells its parent about how it wants to be laid out. */
    public static class LayoutParams {
        public int width;
        public int height;

        public LayoutParams(int width, int height) {
            this.width = width;
            this.height = height;
        }
    }

    public ViewGroup(Context context) {
        super(context);
    }

    public void addView(View child) {
        addView(child, -1);
    }

    public void addView(View child, int index) {
        if (child.getParent() != null) {
            throw new IllegalStateException("The specified child already has a parent. "
                    + "You must call removeView() on the child's parent first.");
        }
        mChildren.add(index < 0 ? mChildren.size() : index, child);
        child.assignParent(this);
        if (isAttachedToWindow()) {
            child.dispatchAttachedToWindow();
        }
        requestLayout();
    }

    @Override
    public void removeView(View view) {
        if (mChildren.remove(view)) {
            view.assignParent(null);
            if (isAttachedToWindow()) {
                view.dispatchDetachedFromWindow();
            }
            requestLayout();
        }
    }

    public int getChildCount() {
        return mChildren.size();
    }

    public View getChildAt(int index) {
        return index < 0 || index >= mChildren.size() ? null : mChildren.get(index);
    }

    @Override
    void dispatchAttachedToWindow() {
        super.dispatchAttachedToWindow();
        for (View child : List.copyOf(mChildren)) {
            child.dispatchAttachedToWindow();
        }
    }

    @Override
    void dispatchDetachedFromWindow() {
        for (View child : List.copyOf(mChildren)) {
            child.dispatchDetachedFromWindow();
        }
        super.dispatchDetachedFromWindow();
    }

    @Override
    void dispatchScreenStateChanged(int screenState) {
        super.dispatchScreenStateChanged(screenState);
        for (View child : List.copyOf(mChildren)) {
            child.dispatchScreenStateChanged(screenState);
        }
    }

    @Override
    protected abstract void onLayout(boolean changed, int l, int t, int r, int b);

    @Override
    int wantedHeight() {
        int height = 0;
        for (View child : mChildren) {
            height += child.wantedHeight();
        }
        return getVisibility() == GONE ? 0 : height;
    }

    public boolean onInterceptTouchEvent(MotionEvent ev) {
        return false;
    }

    @Override
    public boolean dispatchTouchEvent(MotionEvent ev) {
        if (ev.getActionMasked() == MotionEvent.ACTION_DOWN) {
            mTouchTarget = null;
            if (!onInterceptTouchEvent(ev)) {
                for (int i = mChildren.size() - 1; i >= 0 && mTouchTarget == null; i--) {
                    View child = mChildren.get(i);
                    if (child.getVisibility() == VISIBLE && isUnder(child, ev)
                            && dispatchTransformedTouchEvent(ev, child)) {
                        mTouchTarget = child;
                    }
                }
            }
            return mTouchTarget != null || super.dispatchTouchEvent(ev);
        }
        if (mTouchTarget == null) {
            return super.dispatchTouchEvent(ev);
        }
        boolean handled = dispatchTransformedTouchEvent(ev, mTouchTarget);
        if (ev.getActionMasked() != MotionEvent.ACTION_MOVE) {
            mTouchTarget = null;
        }
        return handled;
    }

    private static boolean isUnder(View child, MotionEvent ev) {
        return ev.getX() >= child.mLeft && ev.getX() < child.mRight
                && ev.getY() >= child.mTop && ev.getY() < child.mBottom;
    }

    private boolean dispatchTransformedTouchEvent(MotionEvent event, View child) {
        event.offsetLocation(-child.mLeft, -child.mTop);
        boolean handled = child.dispatchTouchEvent(event);
        event.offsetLocation(child.mLeft, child.mTop);
        return handled;
    }
}
