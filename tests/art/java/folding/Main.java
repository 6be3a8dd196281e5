package folding;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntConsumer;

/** Repeats in every form, from many threads, while the garbage is collected, and to the end of the stack; says what it got. */
public final class Main {
    static final int MANY = 300;
    static final int THREADS = 32;
    /** What is hard to write: quotes, controls, letters of two to four bytes, halves of letters, more than C remembers. */
    static final String[] ODD = {
        "plain", "\"\\/", "\0\1\37\177\b\t\n\f\r", "\u00e9\u07ff\u0800\uffff", "\ud83d\ude00\udbff\udfff", "\ud83d", "\ude00\ud83d!",
        new String(new char[600]).replace('\0', '\u96fb'),
    };

    public static class Api {
        public String text(String key) {
            return "t" + key;
        }

        public static String fixed(int slot) {
            return "+86138000" + slot;
        }

        public boolean flag(boolean on) {
            return on;
        }

        public byte small(byte n) {
            return n;
        }

        public short middle(short n) {
            return n;
        }

        public float thin(float n) {
            return n;
        }

        public char letter(char c) {
            return c;
        }

        public int number(int n) {
            return n;
        }

        public long big(long n) {
            return n;
        }

        public double fine(double n) {
            return n;
        }

        public String mixed(byte a, float b, String c, double d, long e, boolean f, Object g, short h) {
            return a + "|" + b + "|" + c + "|" + d + "|" + e + "|" + f + "|" + g + "|" + h;
        }

        public void nothing(String key) {
        }

        public String refused(String key) {
            throw new SecurityException("no permission");
        }

        public String changing(int n) {
            return n % 2 == 0 ? "even" : "odd";
        }

        public String said(String name, int n) {
            return name + " " + n + " " + ODD[n % ODD.length];
        }

        public int deeper(int n) {
            return n;
        }

        public String hint(String key) {
            return inner(key);
        }

        public String inner(String key) {
            return "deep " + key;
        }

        public void listen(Listener listener) {
        }

        public void received(String what) {
            number(99);
        }
    }

    public static class Listener {
        public void heard(String what) {
        }
    }

    static void is(Object expected, Object got) {
        if (!expected.equals(got)) {
            System.out.println("CHANGED: " + expected + " became " + got);
        }
    }

    static void kinds(Api api) {
        for (int n = 7; n < 9; n++) {
            for (int i = 0; i < MANY; i++) {
                is("tkey" + n, api.text("key" + n));
                is("+86138000" + n, Api.fixed(n));
                is(n == 7, api.flag(n == 7));
                is((byte) -n, api.small((byte) -n));
                is((short) (-3000 - n), api.middle((short) (-3000 - n)));
                is(0.5f * n, api.thin(0.5f * n));
                is((char) (0x4e00 + n), api.letter((char) (0x4e00 + n)));
                is(-100000 - n, api.number(-100000 - n));
                is(Long.MIN_VALUE + n, api.big(Long.MIN_VALUE + n));
                is(0.1 * n, api.fine(0.1 * n));
                is("-1|0.25|c" + n + "|" + 0.125 * n + "|-9|true|null|-3",
                    api.mixed((byte) -1, 0.25f, "c" + n, 0.125 * n, -9L, true, null, (short) -3));
                api.nothing("key" + n);
            }
            refuse(api, "key" + n);
        }
    }

    static void refuse(Api api, String key) {
        for (int i = 0; i < MANY / 10; i++) {
            try {
                api.refused(key);
                System.out.println("CHANGED: not refused");
            } catch (SecurityException error) {
                is("no permission", error.getMessage());
            }
        }
    }

    static void places(Api api) {
        for (int i = 0; i < MANY; i++) {
            api.number(1); api.number(1);
            one(api);
            deep(api, 200);
        }
    }

    static void one(Api api) {
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
        String text = new String(new char[600]).replace('\0', 'x');
        for (int i = 0; i < MANY; i++) {
            is("deep ours", api.hint("ours"));
            is("deep theirs", api.hint("theirs"));
            is("deep " + text, api.hint(text));
            is("deep a" + i, api.hint("a" + i));
        }
        is("deep null", api.hint(null));
    }

    static void calls(int n) {
        Api api = new Api();
        for (int i = 0; i < MANY; i++) {
            is("+86138000" + n % 6, Api.fixed(n % 6));
            is((n + i) % 2 == 0 ? "even" : "odd", api.changing(n + i));
        }
        refuse(api, "many");
    }

    static final List<Throwable> KEPT = Collections.synchronizedList(new ArrayList<>());

    /**
     * Exceptions that are kept, so that the collector goes through their stack traces each time; with pauses, as it
     * corrects what the methods that a thread is in refer to.
     */
    static void traces(int n) {
        Api api = new Api();
        for (int i = 0; i < MANY; i++) {
            try {
                Thread.sleep(1);
                api.refused("kept");
            } catch (SecurityException error) {
                KEPT.add(error);
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    static void threads(int count, boolean collects, IntConsumer work) throws InterruptedException {
        Thread[] threads = new Thread[count];
        boolean[] done = new boolean[1];
        for (int t = 0; t < count; t++) {
            int n = t;
            threads[t] = new Thread(() -> work.accept(n));
            threads[t].start();
        }
        Thread collector = new Thread(() -> {
            while (!done[0]) {
                Runtime.getRuntime().gc();
            }
        });
        if (collects) {
            collector.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        done[0] = true;
        collector.join();
    }

    /** Values that are all new, and some twice; each names the thread that reads it, which has another name later. */
    static void values(int count) throws InterruptedException {
        Thread[] threads = new Thread[count];
        for (int t = 0; t < count; t++) {
            threads[t] = new Thread(() -> {
                say();
                try {
                    Thread.sleep(1200);
                } catch (InterruptedException error) {
                    throw new IllegalStateException(error);
                }
                Thread.currentThread().setName(Thread.currentThread().getName() + "\"\u00e9");
                say();
            }, "reader" + t);
            threads[t].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    static void say() {
        Api api = new Api();
        String name = Thread.currentThread().getName();
        for (int n = 0; n < MANY; n++) {
            for (int i = 0; i <= n % 2; i++) {
                is(name + " " + n + " " + ODD[n % ODD.length], api.said(name, n));
            }
        }
    }

    /** More objects than ART lets one process refer to weakly; when they are gone there is room again. */
    static void listeners(Api api) {
        Listener[] all = new Listener[52_000];
        for (int i = 0; i < all.length; i++) {
            api.listen(all[i] = new Listener());
        }
        all[0].heard("first");
        all[all.length - 1].heard("last");
        all = new Listener[300];
        Runtime.getRuntime().gc();
        for (int i = 0; i < all.length; i++) {
            api.listen(all[i] = new Listener());
        }
        all[all.length - 1].heard("later");
    }

    static int calls;

    static int recurse(Api api, int n) {
        if (api.deeper(n & 1) != (n & 1)) {
            System.out.println("CHANGED: " + n);
        }
        calls++;
        return recurse(api, n + 1) + 1;
    }

    static void overflow(Api api) {
        for (int i = 0; i < 2; i++) {
            try {
                recurse(api, 0);
                System.out.println("CHANGED: no end");
            } catch (StackOverflowError error) {
                System.out.println("caught");
            }
        }
        System.out.println("calls " + calls);
    }

    public static void main(String[] args) throws Exception {
        Api api = new Api();
        for (String step : args) {
            switch (step) {
                case "kinds":
                    kinds(api);
                    break;
                case "places":
                    places(api);
                    break;
                case "hints":
                    hints(api);
                    break;
                case "threads":
                    threads(THREADS, false, Main::calls);
                    break;
                case "storm":
                    threads(8, true, Main::calls);
                    break;
                case "traces":
                    threads(2, true, Main::traces);
                    Runtime.getRuntime().gc();
                    break;
                case "values":
                    values(4);
                    break;
                case "received":
                    api.received("it");
                    break;
                case "listeners":
                    listeners(api);
                    break;
                case "overflow":
                    overflow(api);
                    break;
                default:
                    throw new IllegalArgumentException(step);
            }
        }
        System.out.println("done");
        System.exit(0);
    }
}
