package android.os;

/** Core timekeeping facilities. */
public final class SystemClock {
    private static final long BOOT_NANOS = System.nanoTime() - 60_000_000_000L;

    private SystemClock() {
    }

    public static void sleep(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static long uptimeMillis() {
        return (System.nanoTime() - BOOT_NANOS) / 1_000_000;
    }

    public static long elapsedRealtime() {
        return uptimeMillis();
    }

    public static long elapsedRealtimeNanos() {
        return System.nanoTime() - BOOT_NANOS;
    }
}
