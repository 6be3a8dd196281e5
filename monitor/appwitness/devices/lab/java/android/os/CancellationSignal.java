package android.os;

/** Lets an operation in progress be cancelled. */
public final class CancellationSignal {
    private boolean mIsCanceled;
    private OnCancelListener mOnCancelListener;

    /** Listens for cancellation. */
    public interface OnCancelListener {
        void onCancel();
    }

    public CancellationSignal() {
    }

    public synchronized boolean isCanceled() {
        return mIsCanceled;
    }

    public void throwIfCanceled() {
        if (isCanceled()) {
            throw new OperationCanceledException();
        }
    }

    public void cancel() {
        OnCancelListener listener;
        synchronized (this) {
            if (mIsCanceled) {
                return;
            }
            mIsCanceled = true;
            listener = mOnCancelListener;
        }
        if (listener != null) {
            listener.onCancel();
        }
    }

    public void setOnCancelListener(OnCancelListener listener) {
        boolean now;
        synchronized (this) {
            mOnCancelListener = listener;
            now = mIsCanceled;
        }
        if (now && listener != null) {
            listener.onCancel();
        }
    }
}
