package com.google.android.gms.tasks;

import android.app.Activity;
import android.os.Handler;
import android.os.Looper;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/** The only implementation of Task; the name comes from a shrinker, as in the real library. */
final class zzw<TResult> extends Task<TResult> {
    private static final Executor MAIN = command -> new Handler(Looper.getMainLooper()).post(command);
    private final List<Runnable> mWaiting = new ArrayList<>();
    private boolean mComplete;
    private TResult mResult;
    private Exception mException;

    @Override
    public synchronized boolean isSuccessful() {
        return mComplete && mException == null;
    }

    @Override
    public synchronized TResult getResult() {
        if (!mComplete) {
            throw new IllegalStateException("Task is not yet complete");
        }
        if (mException != null) {
            throw new RuntimeExecutionException(mException);
        }
        return mResult;
    }

    @Override
    public synchronized Exception getException() {
        return mException;
    }

    boolean finish(TResult result, Exception exception) {
        List<Runnable> waiting;
        synchronized (this) {
            if (mComplete) {
                return false;
            }
            mComplete = true;
            mResult = result;
            mException = exception;
            waiting = new ArrayList<>(mWaiting);
            mWaiting.clear();
            notifyAll();
        }
        waiting.forEach(Runnable::run);
        return true;
    }

    private Task<TResult> whenDone(Executor executor, Runnable then) {
        Runnable start = () -> executor.execute(then);
        synchronized (this) {
            if (!mComplete) {
                mWaiting.add(start);
                return this;
            }
        }
        start.run();
        return this;
    }

    @Override
    public Task<TResult> addOnSuccessListener(OnSuccessListener<? super TResult> listener) {
        return addOnSuccessListener(MAIN, listener);
    }

    @Override
    public Task<TResult> addOnSuccessListener(Executor executor, OnSuccessListener<? super TResult> listener) {
        return whenDone(executor, () -> {
            if (isSuccessful()) {
                listener.onSuccess(mResult);
            }
        });
    }

    @Override
    public Task<TResult> addOnSuccessListener(Activity activity, OnSuccessListener<? super TResult> listener) {
        return whenDone(MAIN, () -> {
            if (isSuccessful() && !activity.isDestroyed()) {
                listener.onSuccess(mResult);
            }
        });
    }

    @Override
    public Task<TResult> addOnFailureListener(OnFailureListener listener) {
        return addOnFailureListener(MAIN, listener);
    }

    @Override
    public Task<TResult> addOnFailureListener(Executor executor, OnFailureListener listener) {
        return whenDone(executor, () -> {
            if (!isSuccessful()) {
                listener.onFailure(mException);
            }
        });
    }

    @Override
    public Task<TResult> addOnCompleteListener(OnCompleteListener<TResult> listener) {
        return addOnCompleteListener(MAIN, listener);
    }

    @Override
    public Task<TResult> addOnCompleteListener(Executor executor, OnCompleteListener<TResult> listener) {
        return whenDone(executor, () -> listener.onComplete(this));
    }
}
