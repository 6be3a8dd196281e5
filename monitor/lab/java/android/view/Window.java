package android.view;

import android.content.Context;

/** What a top-level window looks like and does. */
public abstract class Window {
    public static final int FEATURE_NO_TITLE = 1;

    /** What a window tells its activity or dialog. */
    public interface Callback {
        boolean dispatchTouchEvent(MotionEvent event);

        void onWindowFocusChanged(boolean hasFocus);

        void onAttachedToWindow();

        void onDetachedFromWindow();

        void onContentChanged();
    }

    private final Context mContext;
    private Callback mCallback;
    private CharSequence mTitle = "";

    public Window(Context context) {
        mContext = context;
    }

    public final Context getContext() {
        return mContext;
    }

    public void setCallback(Callback callback) {
        mCallback = callback;
    }

    public final Callback getCallback() {
        return mCallback;
    }

    public boolean requestFeature(int featureId) {
        return true;
    }

    public abstract void setTitle(CharSequence title);

    public abstract void setContentView(View view);

    public abstract void setContentView(View view, ViewGroup.LayoutParams params);

    public abstract View getDecorView();

    public abstract View peekDecorView();

    public <T extends View> T findViewById(int id) {
        return getDecorView().findViewById(id);
    }

    public abstract boolean superDispatchTouchEvent(MotionEvent event);
}
