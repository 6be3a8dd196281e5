package com.google.android.gms.tasks;

/** Wraps the exception of a task that failed. */
public class RuntimeExecutionException extends RuntimeException {
    public RuntimeExecutionException(Throwable cause) {
        super(cause);
    }
}
