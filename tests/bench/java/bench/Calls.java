package bench;

/** Has a native library call the C library many times, and prints how long that took. */
public class Calls {
    static native long call(int what, int threads, int calls);

    /** The library; then calls a thread, and numbers of threads; for each kind of call the nanoseconds of the best of ten rounds. */
    public static void main(String[] args) {
        System.load(args[0]);
        int calls = Integer.parseInt(args[1]);
        for (int what = 0; what < 8; what++) {
            for (int i = 2; i < args.length; i++) {
                long best = Long.MAX_VALUE;
                for (int round = 0; round < 10; round++) {
                    best = Math.min(best, call(what, Integer.parseInt(args[i]), calls));
                }
                System.out.println("ns " + what + " " + args[i] + " " + best);
            }
        }
        System.exit(0);
    }
}
