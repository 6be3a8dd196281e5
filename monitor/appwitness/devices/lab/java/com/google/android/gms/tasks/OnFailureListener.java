package com.google.android.gms.tasks;

/** Called when a task fails. */
public interface OnFailureListener {
    void onFailure(Exception e);
}
