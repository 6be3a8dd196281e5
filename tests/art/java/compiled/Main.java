package compiled;

import java.io.File;

/**
 * Calls from code that ART has compiled. Each way of calling is one loop, which is hot before the hooks come and goes on
 * afterwards. Arguments: calls of each method, before and after; the file to wait for in between.
 */
public final class Main {
    interface Reads {
        String through(int n);
    }

    static class Api implements Reads {
        private final String name = "field";

        static String small(int n) {
            return n % 2 == 0 ? "even" : "odd";
        }

        static String constant() {
            return "constant";
        }

        String getter() {
            return name;
        }

        final String sealed(int n) {
            return n % 2 == 0 ? "zero" : "one";
        }

        /** The only one of this name: calls are devirtualised. */
        String single(int n) {
            return n % 2 == 0 ? "first" : "second";
        }

        @Override public String through(int n) {
            return n % 2 == 0 ? "here" : "there";
        }

        synchronized String locked(int n) {
            return n % 2 == 0 ? "shut" : "open";
        }

        static long wide(long a, double b, int c) {
            return a + (long) b + c;
        }

        /** Calls itself. */
        static int down(int n) {
            return n == 0 ? 0 : 1 + down(n - 1);
        }

        static String thrower(int n) {
            if (n % 2 == 0) {
                throw new IllegalStateException("even");
            }
            return "odd";
        }

        /** Too long to be inlined. */
        static String big(int n) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 3; i++) {
                text.append((char) ('a' + (n + i) % 2)).append(i);
                if (text.length() > 100) {
                    text.setLength(0);
                    text.append("never").append(n).append(i);
                }
            }
            return text.toString();
        }

        private static String hidden(int n) {
            return n % 2 == 0 ? "hidden" : "seen";
        }

        static String outer(int n) {
            return hidden(n);
        }
    }

    static final class Second implements Reads {
        @Override public String through(int n) {
            return "second " + n % 2;
        }
    }

    private static int wrong;

    private static void is(boolean right) {
        if (!right) {
            wrong++;
        }
    }

    private static void small(int times) {
        for (int n = 0; n < times; n++) {
            is(Api.small(n).length() == (n % 2 == 0 ? 4 : 3));
        }
    }

    private static void constant(int times) {
        for (int n = 0; n < times; n++) {
            is(Api.constant() == "constant");
        }
    }

    private static void getter(Api api, int times) {
        for (int n = 0; n < times; n++) {
            is(api.getter() == "field");
        }
    }

    private static void sealed(Api api, int times) {
        for (int n = 0; n < times; n++) {
            is(api.sealed(n).length() == (n % 2 == 0 ? 4 : 3));
        }
    }

    private static void single(Api api, int times) {
        for (int n = 0; n < times; n++) {
            is(api.single(n).length() == (n % 2 == 0 ? 5 : 6));
        }
    }

    private static void through(Reads reads, int times) {
        for (int n = 0; n < times; n++) {
            is(reads.through(n).length() == (n % 2 == 0 ? 4 : 5));
        }
    }

    private static void locked(Api api, int times) {
        for (int n = 0; n < times; n++) {
            is(api.locked(n).length() == 4);
        }
    }

    private static void wide(int times) {
        for (int n = 0; n < times; n++) {
            is(Api.wide(1L << 40, 2.5, 3) == (1L << 40) + 5);
        }
    }

    private static void down(int times) {
        for (int n = 0; n < times; n++) {
            is(Api.down(3) == 3);
        }
    }

    private static void thrower(int times) {
        for (int n = 0; n < times; n++) {
            try {
                is(Api.thrower(n) == "odd" && n % 2 == 1);
            } catch (IllegalStateException e) {
                is(n % 2 == 0);
            }
        }
    }

    private static void big(int times) {
        for (int n = 0; n < times; n++) {
            is(Api.big(n).length() == 6);
        }
    }

    private static void outer(int times) {
        for (int n = 0; n < times; n++) {
            is(Api.outer(n).length() == (n % 2 == 0 ? 6 : 4));
        }
    }

    private static void intrinsic(int times) {
        for (int n = 0; n < times; n++) {
            is(Math.max(n % 2, 1) == 1);
        }
    }

    private static void critical(int times) {
        for (int n = 0; n < times; n++) {
            is(Math.IEEEremainder(7.0, 4.0) == -1.0);
        }
    }

    private static void fast(int times) {
        for (int n = 0; n < times; n++) {
            is(Thread.currentThread().isInterrupted() == false);
        }
    }

    private static void all(int times) {
        Api api = new Api();
        small(times);
        constant(times);
        getter(api, times);
        sealed(api, times);
        single(api, times);
        through(api, times);
        locked(api, times);
        wide(times);
        down(times);
        thrower(times);
        big(times);
        outer(times);
        intrinsic(times);
        critical(times);
        fast(times);
    }

    private static final int ROUNDS = 4;

    public static void main(String[] args) throws Exception {
        int times = Integer.parseInt(args[0]);
        for (int round = 0; round < ROUNDS; round++) {
            all(times / ROUNDS);
            Thread.sleep(Integer.parseInt(args[2])); // what is hot is compiled in the background
        }
        System.out.println("hot");
        for (File go = new File(args[1]); !go.exists(); ) {
            Thread.sleep(10);
        }
        all(times);
        System.out.println("wrong: " + wrong);
        System.exit(0);
    }
}
