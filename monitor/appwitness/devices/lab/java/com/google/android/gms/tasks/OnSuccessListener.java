package com.google.android.gms.tasks;

/** Called when a task succeeds. */
public interface OnSuccessListener<TResult> {
    void onSuccess(TResult result);
}
