package android.view;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;

/** The basic building block of user interface components. */
public class View {
    public static final int VISIBLE = 0;
    public static final int GONE = 8;
    public static final int NO_ID = -1;
    public static final int SCREEN_STATE_OFF = 0;
    public static final int SCREEN_STATE_ON = 1;

    protected ViewParent mParent;
    protected Context mContext;
    private int mId = NO_ID;
    private CharSequence mContentDescription;
    private int mVisibility;
    private boolean mEnabled = true;
    private boolean mClickable;
    private boolean mPressed;
    private boolean mAttached;
    private OnClickListener mOnClickListener;
    private OnTouchListener mOnTouchListener;
    private PerformClick mPerformClick;
    int mLeft;
    int mTop;
    int mRight;
    int mBottom;

    /** Called when a view is clicked. */
    public interface OnClickListener {
        void onClick(View v);
    }

    /** Called for touch events before the view is. */
    public interface OnTouchListener {
        boolean onTouch(View v, MotionEvent event);
    }

    public View(Context context) {
        mContext = context;
    }

    public final Context getContext() {
        return mContext;
    }

    public int getId() {
        return mId;
    }

    public CharSequence getContentDescription() {
        return mContentDescription;
    }

    public int getVisibility() {
        return mVisibility;
    }

    public void setVisibility(int visibility) {
        mVisibility = visibility;
        requestLayout();
    }

    public boolean isEnabled() {
        return mEnabled;
    }

    public boolean isClickable() {
        return mClickable;
    }

    public void setClickable(boolean clickable) {
        mClickable = clickable;
    }

    public void setPressed(boolean pressed) {
        mPressed = pressed;
    }

    public boolean isAttachedToWindow() {
        return mAttached;
    }

    public boolean isShown() {
        View view = this;
        while (view.mVisibility == VISIBLE) {
            if (!(view.mParent instanceof View parent)) {
                return view.mParent != null;
            }
            view = parent;
        }
        return false;
    }

    public void setLayoutParams(ViewGroup.LayoutParams params) {
        requestLayout();
    }

    public final ViewParent getParent() {
        return mParent;
    }

    void assignParent(ViewParent parent) {
        mParent = parent;
    }

    public View getRootView() {
        View view = this;
        while (view.mParent instanceof View parent) {
            view = parent;
        }
        return view;
    }

    void dispatchAttachedToWindow() {
        mAttached = true;
        onAttachedToWindow();
    }

    void dispatchDetachedFromWindow() {
        mAttached = false;
        onDetachedFromWindow();
    }

    protected void onAttachedToWindow() {
    }

    protected void onDetachedFromWindow() {
    }

    public void onScreenStateChanged(int screenState) {
    }

    void dispatchScreenStateChanged(int screenState) {
        onScreenStateChanged(screenState);
    }

    public final int getLeft() {
        return mLeft;
    }

    public final int getTop() {
        return mTop;
    }

    public final int getWidth() {
        return mRight - mLeft;
    }

    public final int getHeight() {
        return mBottom - mTop;
    }

    public void getLocationInWindow(int[] outLocation) {
        outLocation[0] = 0;
        outLocation[1] = 0;
        for (View view = this; view != null; view = view.mParent instanceof View parent ? parent : null) {
            outLocation[0] += view.mLeft;
            outLocation[1] += view.mTop;
        }
    }

    public void requestLayout() {
        if (mParent != null) {
            mParent.requestLayout();
        }
    }

    public void layout(int l, int t, int r, int b) {
        mLeft = l;
        mTop = t;
        mRight = r;
        mBottom = b;
        onLayout(true, l, t, r, b);
    }

    protected void onLayout(boolean changed, int left, int top, int right, int bottom) {
    }

    /** The preferred height of the view; the lab device has no fonts, so a line of text is 48 pixels high. */
    int wantedHeight() {
        return mVisibility == GONE ? 0 : 48;
    }

    public void setOnClickListener(OnClickListener l) {
        if (!isClickable()) {
            setClickable(true);
        }
        mOnClickListener = l;
    }

    public void setOnTouchListener(OnTouchListener l) {
        mOnTouchListener = l;
    }

    public boolean performClick() {
        if (mOnClickListener == null) {
            return false;
        }
        mOnClickListener.onClick(this);
        return true;
    }

    private boolean performClickInternal() {
        return performClick();
    }

    public final boolean dispatchPointerEvent(MotionEvent event) {
        return dispatchTouchEvent(event);
    }

    public boolean dispatchTouchEvent(MotionEvent event) {
        if (mOnTouchListener != null && mEnabled && mOnTouchListener.onTouch(this, event)) {
            return true;
        }
        return onTouchEvent(event);
    }

    public boolean onTouchEvent(MotionEvent event) {
        if (!mEnabled) {
            return mClickable;
        }
        if (!mClickable) {
            return false;
        }
        switch (event.getAction()) {
            case MotionEvent.ACTION_DOWN -> setPressed(true);
            case MotionEvent.ACTION_UP -> {
                if (mPressed) {
                    if (mPerformClick == null) {
                        mPerformClick = new PerformClick();
                    }
                    if (!post(mPerformClick)) {
                        performClickInternal();
                    }
                    setPressed(false);
                }
            }
            case MotionEvent.ACTION_CANCEL -> setPressed(false);
            default -> {
            }
        }
        return true;
    }

    public boolean post(Runnable action) {
        return new Handler(Looper.getMainLooper()).post(action);
    }

    public boolean postDelayed(Runnable action, long delayMillis) {
        return new Handler(Looper.getMainLooper()).postDelayed(action, delayMillis);
    }

    private final class PerformClick implements Runnable {
        @Override
        public void run() {
            performClickInternal();
        }
    }
}
