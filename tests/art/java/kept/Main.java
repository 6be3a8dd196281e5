package kept;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Uses classes for the first time while they are hooked. Argument: what to do. Prints how many calls it made. */
public final class Main {
    static final int CLASSES = 100;
    static final int THREADS = 8;
    static final int ROUNDS = 5;

    public static void main(String[] args) throws Throwable {
        switch (args[0]) {
            case "storm" -> storm();
            case "kinds" -> kinds();
            case "undone" -> undone();
            case "twice" -> twice();
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.exit(0);
    }

    /** Each class is first used by all threads at once; three methods of each, five times by every thread. */
    private static void storm() throws Throwable {
        AtomicInteger calls = new AtomicInteger();
        CountDownLatch ready = new CountDownLatch(THREADS);
        Thread[] threads = new Thread[THREADS];
        for (int t = 0; t < THREADS; t++) {
            threads[t] = new Thread(() -> {
                ready.countDown();
                try {
                    ready.await();
                    for (int c = 0; c < CLASSES; c++) {
                        Use use = (Use) Class.forName("kept.First" + c).getDeclaredConstructor().newInstance();
                        for (int round = 0; round < ROUNDS; round++) {
                            calls.addAndGet(use.all());
                        }
                    }
                } catch (Throwable problem) {
                    problem.printStackTrace();
                    System.exit(3);
                }
            });
            threads[t].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println(calls.get());
    }

    /** A default method through classes that do not override it: loaded before it was hooked, a lambda's, and later ones. */
    private static void kinds() throws Throwable {
        Given[] all = {new Early(), () -> "lambda", (Given) Class.forName("kept.Later").getDeclaredConstructor().newInstance(), new Own()};
        int calls = 0;
        for (int round = 0; round < ROUNDS; round++) {
            for (Given each : all) {
                if (each.given("x").endsWith(each.name() + " x")) {
                    calls++;
                }
            }
        }
        java.util.HashSet<String> set = new java.util.HashSet<>(java.util.List.of("one", "two"));
        if (set.removeIf("one"::equals)) {
            calls++;
        }
        System.out.println(calls);
    }

    /** Waits while a hook is undone from outside, and calls on. */
    private static void undone() throws Throwable {
        for (int at = 0; at < 500; at++) {
            Undone.value(at);
            Thread.sleep(10);
        }
        System.out.println(500);
    }

    /** A check of certificates that is a source, too. */
    private static void twice() {
        okhttp3.CertificatePinner pinner = new okhttp3.CertificatePinner();
        int passed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            try {
                pinner.check("host " + round, java.util.List.of());
                passed++;
            } catch (IllegalStateException refused) {
                System.out.println(refused.getMessage());
            }
        }
        System.out.println(passed);
    }
}

interface Use {
    int all();
}

interface Given {
    String name();

    default String given(String what) {
        return "given " + name() + " " + what;
    }
}

class Early implements Given {
    @Override
    public String name() {
        return "early";
    }
}

class Later implements Given {
    @Override
    public String name() {
        return "later";
    }
}

class Own implements Given {
    @Override
    public String name() {
        return "own";
    }

    @Override
    public String given(String what) {
        return "mine " + Given.super.given(what);
    }
}

final class Undone {
    static String value(int at) {
        return "value " + at;
    }
}
