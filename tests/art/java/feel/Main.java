package feel;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;

/** Draws frames: each computes, some call what is hooked. Argument: how many frames. */
public final class Main {
    static final class Api {
        private int number;

        String same() {
            return "+8613800138000";
        }

        String other() {
            number++;
            return new StringBuilder("+86138").append(10000000 + number).toString();
        }
    }

    private static final long PERIOD_NS = 16_000_000;
    /** How long a frame computes. */
    private static final long WORK_NS = 4_000_000;
    private static final int PIECES = 100;
    /** Of so many frames, one calls what is hooked. */
    private static final int CALLING = 6;
    private static final byte[] BLOCK = new byte[64];

    private static final Api API = new Api();
    private static int sum;

    public static void main(String[] args) throws Exception {
        int frames = Integer.parseInt(args[0]);
        int piece = piece();
        int missed = 0;
        long worst = 0;
        long total = 0;
        try (RandomAccessFile waits = new RandomAccessFile("/proc/thread-self/schedstat", "r")) {
            long first = System.nanoTime();
            for (int frame = 0; frame < frames; frame++) {
                long waited = waited(waits);
                long begun = System.nanoTime();
                compute(piece * PIECES);
                if (frame % CALLING == 0) {
                    call();
                }
                long ended = System.nanoTime();
                long took = ended - begun - (waited(waits) - waited);
                missed += took > PERIOD_NS ? 1 : 0;
                worst = Math.max(worst, took);
                total += took;
                Thread.sleep((PERIOD_NS - (ended - first) % PERIOD_NS) / 1_000_000);
            }
        }
        System.out.println("frames " + missed + " " + total / frames / 1000 + " " + worst / 1000);
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    /** Nanoseconds that this thread has waited for a processor: how busy the machine is, and not what a frame takes. */
    private static long waited(RandomAccessFile waits) throws IOException {
        byte[] read = new byte[64];
        waits.seek(0);
        int length = waits.read(read);
        return Long.parseLong(new String(read, 0, length, StandardCharsets.US_ASCII).split(" ")[1]);
    }

    /** How much to compute takes a hundredth of a frame's time for it, at best. */
    private static int piece() {
        long best = Long.MAX_VALUE;
        for (int round = 0; round < 200; round++) {
            long begun = System.nanoTime();
            compute(10_000);
            best = Math.min(best, System.nanoTime() - begun);
        }
        return (int) (WORK_NS / PIECES * 10_000 / best);
    }

    private static void compute(int count) {
        for (int i = 0; i < count; i++) {
            sum = sum * 31 + i;
        }
    }

    /** What an app does now and then: it reads data, once as before and once another, hashes, encodes, reads a file. */
    private static void call() throws Exception {
        sum += API.same().length() + API.other().length();
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(BLOCK);
        sum += Base64.getEncoder().encodeToString(hash).length();
        try (InputStream file = new FileInputStream("/dev/zero")) {
            sum += file.read(BLOCK);
        }
    }
}
