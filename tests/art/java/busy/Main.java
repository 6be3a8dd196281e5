package busy;

import java.io.File;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Many threads that call hooked methods, and ways to end. Arguments: what to do, and how often. */
public final class Main {
    static final class Api {
        static String read(int slot) {
            return "value of " + slot;
        }

        String changing(int number) {
            return "number " + number;
        }
    }

    private static final AtomicInteger WRONG = new AtomicInteger();

    private static void call(Api api, int slot, int times) {
        for (int at = 0; at < times; at++) {
            if (!Api.read(slot).equals("value of " + slot) || !api.changing(at % 2).equals("number " + at % 2)) {
                WRONG.incrementAndGet();
            }
        }
    }

    /** With a file, all of it again and again until that is there. */
    private static void threads(int count, int times, Runnable meanwhile, File end) throws InterruptedException {
        CountDownLatch left = new CountDownLatch(count);
        for (int slot = 0; slot < count; slot++) {
            int own = slot % 4;
            new Thread(() -> {
                do {
                    call(new Api(), own, times);
                } while (end != null && !end.exists());
                left.countDown();
            }).start();
        }
        while (left.getCount() > 0) {
            meanwhile.run();
        }
        System.out.println("wrong: " + WRONG);
    }

    /** Ends the process, after some milliseconds, under threads that go on; says before how many calls have returned. */
    private static void ended(int afterMs) throws InterruptedException {
        AtomicLong[] returned = {new AtomicLong(), new AtomicLong()};
        for (int slot = 0; slot < 8; slot++) {
            int own = slot % 4;
            Thread thread = new Thread(() -> {
                for (Api api = new Api();;) {
                    Api.read(own);
                    returned[0].incrementAndGet();
                    api.changing(own % 2);
                    returned[1].incrementAndGet();
                }
            });
            thread.start();
        }
        Thread.sleep(afterMs);
        System.out.println(returned[0] + " " + returned[1]);
        System.exit(0);
    }

    private static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public static void main(String[] args) throws Exception {
        int times = Integer.parseInt(args[1]);
        switch (args[0]) {
            case "collected" -> threads(8, times, System::gc, null);
            case "many" -> threads(32, times, Main::pause, null);
            case "switched" -> threads(32, times, Main::pause, new File(args[2]));
            case "ended" -> ended(times);
            case "exit", "halt", "uncaught" -> {
                Thread.setDefaultUncaughtExceptionHandler((thread, error) -> System.exit(times)); // as Android's does
                call(new Api(), 0, 1);
                System.out.println("ending");
                if (args[0].equals("uncaught")) {
                    throw new IllegalStateException("nobody catches it");
                } else if (args[0].equals("halt")) {
                    Runtime.getRuntime().halt(times);
                }
                System.exit(times);
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.exit(0);
    }
}
