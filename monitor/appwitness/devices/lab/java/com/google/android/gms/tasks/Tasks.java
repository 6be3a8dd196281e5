package com.google.android.gms.tasks;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;

/** Functions on tasks. */
public final class Tasks {
    private Tasks() {
    }

    public static <TResult> Task<TResult> forResult(TResult result) {
        TaskCompletionSource<TResult> source = new TaskCompletionSource<>();
        source.setResult(result);
        return source.getTask();
    }

    public static <TResult> Task<TResult> forException(Exception exception) {
        TaskCompletionSource<TResult> source = new TaskCompletionSource<>();
        source.setException(exception);
        return source.getTask();
    }

    public static <TResult> TResult await(Task<TResult> task) throws ExecutionException, InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        task.addOnCompleteListener(Runnable::run, t -> done.countDown());
        done.await();
        if (task.isSuccessful()) {
            return task.getResult();
        }
        throw new ExecutionException(task.getException());
    }
}
