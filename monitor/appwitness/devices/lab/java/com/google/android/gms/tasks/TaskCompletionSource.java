package com.google.android.gms.tasks;

/** Lets a task be completed. */
public class TaskCompletionSource<TResult> {
    private final zzw<TResult> mTask = new zzw<>();

    public TaskCompletionSource() {
    }

    public Task<TResult> getTask() {
        return mTask;
    }

    public void setResult(TResult result) {
        if (!trySetResult(result)) {
            throw new IllegalStateException("Task already complete");
        }
    }

    public boolean trySetResult(TResult result) {
        return mTask.finish(result, null);
    }

    public void setException(Exception e) {
        if (!trySetException(e)) {
            throw new IllegalStateException("Task already complete");
        }
    }

    public boolean trySetException(Exception e) {
        return mTask.finish(null, e);
    }
}
