package folding;

import java.util.ArrayList;
import java.util.List;

/** Calls the same again and again, in every form that a repeat has, and says when an answer is not its own. */
public class Main {
    static final int MANY = 300;

    public static class Api {
        public String text(String key) {
            return "t" + key;
        }

        public static String fixed(int slot) {
            return "+86138000" + slot;
        }

        public String hint(String key) {
            return deeper(key);
        }

        public String deeper(String key) {
            return "deep " + key;
        }

        public boolean flag(boolean on) {
            return on;
        }

        public byte small(byte n) {
            return n;
        }

        public char letter(char c) {
            return c;
        }

        public short middle(short n) {
            return n;
        }

        public int number(int n) {
            return n;
        }

        public long big(long n) {
            return n;
        }

        public float thin(float n) {
            return n;
        }

        public double fine(double n) {
            return n;
        }

        public String mixed(byte a, float b, String c, double d, long e, boolean f, Object g) {
            return a + "|" + b + "|" + c + "|" + d + "|" + e + "|" + f + "|" + g;
        }

        public void nothing(String key) {
        }

        public String refused(String key) {
            throw new SecurityException("no permission");
        }

        public String changing(int n) {
            return n % 2 == 0 ? "even" : "odd";
        }
    }

    static void is(Object expected, Object got) {
        if (!expected.equals(got)) {
            System.out.println("CHANGED: " + expected + " became " + got);
        }
    }

    static void kinds(Api api) {
        for (int round = 0; round < 2; round++) {
            int n = 7 + round;
            for (int i = 0; i < MANY; i++) {
                is("tkey" + n, api.text("key" + n));
                is("+86138000" + n, Api.fixed(n));
                is(n == 7, api.flag(n == 7));
                is((byte) -n, api.small((byte) -n));
                is((char) (0x4e00 + n), api.letter((char) (0x4e00 + n)));
                is((short) (-3000 - n), api.middle((short) (-3000 - n)));
                is(-100000 - n, api.number(-100000 - n));
                is(Long.MIN_VALUE + n, api.big(Long.MIN_VALUE + n));
                is(0.5f * n, api.thin(0.5f * n));
                is(0.1 * n, api.fine(0.1 * n));
                is("-1|0.25|c" + n + "|" + 0.125 * n + "|-9|true|null", api.mixed((byte) -1, 0.25f, "c" + n, 0.125 * n, -9L, true, null));
                api.nothing("key" + n);
                try {
                    api.refused("key" + n);
                    System.out.println("CHANGED: not refused");
                } catch (SecurityException error) {
                    is("no permission", error.getMessage());
                }
            }
        }
    }

    static void places(Api api) {
        for (int i = 0; i < MANY; i++) {
            one(api);
            other(api);
            deep(api, 200);
        }
    }

    static void one(Api api) {
        api.number(1);
    }

    static void other(Api api) {
        api.number(1);
    }

    static void deep(Api api, int depth) {
        if (depth > 0) {
            deep(api, depth - 1);
        } else {
            api.number(2);
        }
    }

    static void hints(Api api) {
        for (int i = 0; i < MANY; i++) {
            is("deep ours", api.hint("ours"));
            is("deep theirs", api.hint("theirs"));
            is("deep " + "x".repeat(600), api.hint("x".repeat(600)));
            is("deep a" + i, api.hint("a" + i));
        }
        is("deep null", api.hint(null));
    }

    static void threads(Api api) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 32; t++) {
            int n = t;
            Thread thread = new Thread(() -> {
                for (int i = 0; i < MANY; i++) {
                    is("+86138000" + n % 6, Api.fixed(n % 6));
                    is((n + i) % 2 == 0 ? "even" : "odd", api.changing(n + i));
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    static int calls;

    static int recurse(Api api, int n) {
        is(n & 1, api.number(n & 1));
        calls++;
        return recurse(api, n + 1) + 1;
    }

    static void overflow(Api api) {
        for (int i = 0; i < 2; i++) {
            try {
                recurse(api, 0);
                System.out.println("CHANGED: no end");
            } catch (StackOverflowError error) {
                // as it has to be
            }
        }
        System.out.println("calls " + calls);
    }

    public static void main(String[] args) throws Exception {
        Api api = new Api();
        for (String step : args) {
            switch (step) {
                case "kinds" -> kinds(api);
                case "places" -> places(api);
                case "hints" -> hints(api);
                case "threads" -> threads(api);
                case "overflow" -> overflow(api);
                default -> throw new IllegalArgumentException(step);
            }
        }
        System.out.println("done");
        System.exit(0);
    }
}
