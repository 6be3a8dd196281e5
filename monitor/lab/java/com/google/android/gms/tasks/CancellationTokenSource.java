package com.google.android.gms.tasks;

import java.util.ArrayList;
import java.util.List;

/** Makes a token and cancels it. */
public class CancellationTokenSource {
    private final List<OnTokenCanceledListener> mListeners = new ArrayList<>();
    private boolean mCanceled;

    private final CancellationToken mToken = new CancellationToken() {
        @Override
        public boolean isCancellationRequested() {
            return mCanceled;
        }

        @Override
        public CancellationToken onCanceledRequested(OnTokenCanceledListener listener) {
            if (mCanceled) {
                listener.onCanceled();
            } else {
                mListeners.add(listener);
            }
            return this;
        }
    };

    public CancellationTokenSource() {
    }

    public CancellationToken getToken() {
        return mToken;
    }

    public void cancel() {
        mCanceled = true;
        mListeners.forEach(OnTokenCanceledListener::onCanceled);
        mListeners.clear();
    }
}
