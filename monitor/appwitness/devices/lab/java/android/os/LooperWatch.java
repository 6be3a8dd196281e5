package android.os;

/** Tells the lab device whether every message loop rests. No class of Android. */
public final class LooperWatch {
    private LooperWatch() {
    }

    /** Whether no loop of this process runs or has anything to run, now or later. */
    public static boolean allResting() {
        for (Looper looper : Looper.all()) {
            if (!looper.mQueue.isResting()) {
                return false;
            }
        }
        return true;
    }

    /** Whether `thread` runs a message loop. */
    public static boolean isLooping(Thread thread) {
        for (Looper looper : Looper.all()) {
            if (looper.mThread == thread) {
                return true;
            }
        }
        return false;
    }
}
