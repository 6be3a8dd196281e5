package android.view;

import android.content.Context;

/** What a top-level window looks like and does. */
public abstract class Window {

    /** What a window tells its activity or dialog. */
    public interface Callback {
        boolean dispatchTouchEvent(MotionEvent event);

        void onAttachedToWindow();

        void onDetachedFromWindow();

        void onContentChanged();
    }

    private final Context mContext;
    private Callback mCallback;

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

    public abstract void setTitle(CharSequence title);

    public abstract void setContentView(View view);

    public abstract void setContentView(View view, ViewGroup.LayoutParams params);

    public abstract View getDecorView();

    public abstract boolean superDispatchTouchEvent(MotionEvent event);
}
