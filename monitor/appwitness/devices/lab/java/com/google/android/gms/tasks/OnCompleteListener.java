package com.google.android.gms.tasks;

/** Called when a task succeeds or fails. */
public interface OnCompleteListener<TResult> {
    void onComplete(Task<TResult> task);
}
