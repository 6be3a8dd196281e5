package android.os;

import java.util.ArrayList;
import java.util.List;

/** Runs a message loop for a thread. */
public final class Looper {
    static final ThreadLocal<Looper> sThreadLocal = new ThreadLocal<>();
    private static final List<Looper> sAll = new ArrayList<>();
    private static Looper sMainLooper;

    final MessageQueue mQueue = new MessageQueue();
    final Thread mThread = Thread.currentThread();

    private Looper() {
    }

    public static void prepare() {
        if (sThreadLocal.get() != null) {
            throw new RuntimeException("Only one Looper may be created per thread");
        }
        Looper looper = new Looper();
        sThreadLocal.set(looper);
        synchronized (sAll) {
            sAll.add(looper);
        }
    }

    public static void prepareMainLooper() {
        prepare();
        synchronized (Looper.class) {
            if (sMainLooper != null) {
                throw new IllegalStateException("The main Looper has already been prepared.");
            }
            sMainLooper = myLooper();
        }
    }

    public static Looper getMainLooper() {
        synchronized (Looper.class) {
            return sMainLooper;
        }
    }

    public static Looper myLooper() {
        return sThreadLocal.get();
    }

    public static void loop() {
        Looper me = myLooper();
        if (me == null) {
            throw new RuntimeException("No Looper; Looper.prepare() wasn't called on this thread.");
        }
        for (Message msg = me.mQueue.next(); msg != null; msg = me.mQueue.next()) {
            msg.target.dispatchMessage(msg);
        }
        synchronized (sAll) {
            sAll.remove(me);
        }
    }

    static List<Looper> all() {
        synchronized (sAll) {
            return new ArrayList<>(sAll);
        }
    }

    @Override
    public String toString() {
        return "Looper (" + mThread.getName() + ", tid " + mThread.getId() + ")";
    }
}
