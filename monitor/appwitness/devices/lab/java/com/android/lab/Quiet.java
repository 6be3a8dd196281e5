package com.android.lab;

import android.os.LooperWatch;
import android.util.Log;

/** Notices when the app has nothing left to do: then the user takes the plan's next step, or else the process ends. */
public final class Quiet {
    private static final int POLL_MS = 25;
    private static final int QUIET_MS = Integer.getInteger("lab.quiet_ms", 300);
    private static final int LIFE_MS = Integer.getInteger("lab.life_ms", 30_000);
    private static final int SHARED_LIFE_MS = 120_000;
    private static boolean sShared;

    private Quiet() {
    }

    /** Begins to watch. */
    public static void watch() {
        sShared = Display.display().share();
        Thread watcher = new Thread(Quiet::run, "lab-quiet");
        watcher.setDaemon(true);
        watcher.start();
    }

    private static void run() {
        long begun = System.nanoTime();
        long since = begun;
        try {
            while (millisSince(begun) < (sShared ? SHARED_LIFE_MS : LIFE_MS)) {
                Thread.sleep(POLL_MS);
                if (!isQuiet()) {
                    since = System.nanoTime();
                } else if (millisSince(since) >= QUIET_MS) {
                    if (!Finger.act()) {
                        if (!Display.display().isResting()) {
                            continue;
                        }
                        Display.display().clear();
                        Log.i("lab", "quiet: the run is over");
                        Runtime.getRuntime().halt(0);
                    }
                    since = System.nanoTime();
                }
            }
            Log.w("lab", "still busy after " + LIFE_MS + " ms: ended all the same");
            Runtime.getRuntime().halt(11);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static long millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1_000_000;
    }

    private static boolean isQuiet() {
        if (!LooperWatch.allResting()) {
            return false;
        }
        Thread[] threads = new Thread[Thread.activeCount() + 16];
        int count = Thread.enumerate(threads);
        for (int i = 0; i < count; i++) {
            if (isBusy(threads[i])) {
                return false;
            }
        }
        return true;
    }

    /** Whether a thread of the app is busy; message loops, idle pool workers and native threads do not count. */
    private static boolean isBusy(Thread thread) {
        if (thread.isDaemon() || LooperWatch.isLooping(thread)) {
            return false;
        }
        StackTraceElement[] stack = thread.getStackTrace();
        for (StackTraceElement frame : stack) {
            if (frame.getClassName().equals("java.util.concurrent.ThreadPoolExecutor")
                    && frame.getMethodName().equals("getTask")) {
                return false;
            }
        }
        return stack.length > 0;
    }
}
