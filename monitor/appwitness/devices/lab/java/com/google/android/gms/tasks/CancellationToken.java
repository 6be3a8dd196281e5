package com.google.android.gms.tasks;

/** Says whether a task should be cancelled. */
public abstract class CancellationToken {
    public CancellationToken() {
    }
}
