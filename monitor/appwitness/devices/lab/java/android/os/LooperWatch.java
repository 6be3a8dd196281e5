package android.os;

/** Tells the lab device whether all message loops are idle. Not an Android class. */
public final class LooperWatch {
    private LooperWatch() {
    }

    /** Whether no loop of this process is running anything or has anything to run, now or later. */
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
