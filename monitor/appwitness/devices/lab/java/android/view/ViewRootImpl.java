package android.view;

import android.os.Handler;
import android.os.Looper;

/** The top of a view tree: handles input events for its window on the main thread. */
public final class ViewRootImpl implements ViewParent {
    private final Handler mHandler = new Handler(Looper.getMainLooper());
    private final View mView;

    ViewRootImpl(View view) {
        mView = view;
        view.assignParent(this);
        requestLayout();
        view.dispatchAttachedToWindow();
    }

    public View getView() {
        return mView;
    }

    @Override
    public ViewParent getParent() {
        return null;
    }

    @Override
    public void requestLayout() {
        mView.layout(0, 0, 1080, Math.max(mView.wantedHeight(), 1));
    }

    /** Takes an event from the input system, from any thread. */
    public void enqueueInputEvent(InputEvent event) {
        mHandler.post(new InputReceiver(event));
    }

    void die() {
        mView.dispatchDetachedFromWindow();
        mView.assignParent(null);
    }

    private final class InputReceiver implements Runnable {
        private final InputEvent mEvent;

        InputReceiver(InputEvent event) {
            mEvent = event;
        }

        @Override
        public void run() {
            onInputEvent();
        }

        private void onInputEvent() {
            if (mView.isAttachedToWindow() && mEvent instanceof MotionEvent motion) {
                mView.dispatchPointerEvent(motion);
            }
        }
    }
}
