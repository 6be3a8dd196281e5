package com.google.android.gms.tasks;

/** Called when a token is cancelled. */
public interface OnTokenCanceledListener {
    void onCanceled();
}
