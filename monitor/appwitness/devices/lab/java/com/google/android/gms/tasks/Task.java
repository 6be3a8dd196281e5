package com.google.android.gms.tasks;

import android.app.Activity;
import java.util.concurrent.Executor;

/** An asynchronous operation. */
public abstract class Task<TResult> {
    public Task() {
    }

    public abstract boolean isSuccessful();

    public abstract TResult getResult();

    public abstract Exception getException();

    public abstract Task<TResult> addOnSuccessListener(OnSuccessListener<? super TResult> listener);

    public abstract Task<TResult> addOnSuccessListener(
            Executor executor, OnSuccessListener<? super TResult> listener);

    public abstract Task<TResult> addOnSuccessListener(
            Activity activity, OnSuccessListener<? super TResult> listener);

    public abstract Task<TResult> addOnFailureListener(OnFailureListener listener);

    public abstract Task<TResult> addOnFailureListener(Executor executor, OnFailureListener listener);

    public abstract Task<TResult> addOnCompleteListener(OnCompleteListener<TResult> listener);

    public abstract Task<TResult> addOnCompleteListener(Executor executor, OnCompleteListener<TResult> listener);
}
