package com.android.internal.policy;

import android.content.Context;
import android.view.MotionEvent;
import android.view.Window;
import android.widget.FrameLayout;

/** The outermost view of a window: offers events to the window's owner first. */
public class DecorView extends FrameLayout {
    private final Window mWindow;

    DecorView(Context context, Window window) {
        super(context);
        mWindow = window;
    }

    @Override
    public boolean dispatchTouchEvent(MotionEvent ev) {
        Window.Callback cb = mWindow.getCallback();
        return cb != null ? cb.dispatchTouchEvent(ev) : super.dispatchTouchEvent(ev);
    }

    public boolean superDispatchTouchEvent(MotionEvent event) {
        return super.dispatchTouchEvent(event);
    }

    @Override
    protected void onAttachedToWindow() {
        super.onAttachedToWindow();
        if (mWindow.getCallback() != null) {
            mWindow.getCallback().onAttachedToWindow();
        }
    }

    @Override
    protected void onDetachedFromWindow() {
        super.onDetachedFromWindow();
        if (mWindow.getCallback() != null) {
            mWindow.getCallback().onDetachedFromWindow();
        }
    }
}
