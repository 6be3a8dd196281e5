package beside;

import java.util.concurrent.CountDownLatch;

/** What is measured on the lab device and in ART alike. Arguments: what to do, and what that takes. */
public final class Main {
    static final class Api {
        private final String text = "+8613800138000";
        private int number;

        String same() {
            return text;
        }

        String other() {
            number++;
            return new StringBuilder("+86138").append(10000000 + number).toString();
        }
    }

    private static final int WARM = 1000;
    private static final int BATCH = 50;

    interface Work {
        String call();
    }

    /** Calls one function of the system many times in several threads; nanoseconds of processor time a call. */
    static native long system(int which, int threads, int calls);

    public static void main(String[] args) throws Exception {
        int calls = Integer.parseInt(args[2]);
        switch (args[0]) {
            case "calls" -> {
                Api api = new Api();
                Work work = args[1].equals("same") ? api::same : api::other;
                System.out.println("ns " + deep(Integer.parseInt(args[3]), work, calls));
            }
            case "threads" -> threads(Integer.parseInt(args[1]), calls);
            case "system" -> {
                System.load(args[3]);
                for (int which = 0; which < 3; which++) {
                    system(which, 1, calls / 10);
                    System.out.println("ns " + system(which, Integer.parseInt(args[1]), calls));
                }
            }
            case "wait" -> {
                System.out.println("waiting");
                Thread.sleep(calls);
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static long deep(int depth, Work work, int calls) {
        return depth > 0 ? deep(depth - 1, work, calls) : best(work, calls);
    }

    /** The quickest of many short batches: other processes of the machine take part in the others. */
    private static long best(Work work, int calls) {
        long best = Long.MAX_VALUE;
        for (int at = 0; at < WARM; at++) {
            work.call();
        }
        for (int round = 0; round < calls / BATCH; round++) {
            long begun = System.nanoTime();
            for (int at = 0; at < BATCH; at++) {
                work.call();
            }
            best = Math.min(best, (System.nanoTime() - begun) / BATCH);
        }
        return best;
    }

    private static void threads(int count, int calls) throws InterruptedException {
        CountDownLatch left = new CountDownLatch(count);
        long begun = System.nanoTime();
        for (int each = 0; each < count; each++) {
            new Thread(() -> {
                Api api = new Api();
                for (int at = 0; at < calls; at++) {
                    api.same();
                }
                left.countDown();
            }).start();
        }
        left.await();
        System.out.println("ns " + (System.nanoTime() - begun) / ((long) count * calls));
    }
}
