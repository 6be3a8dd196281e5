package detach;

import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Does what it reads line by line, and answers with one line each: its methods are hooked and given back meanwhile. */
public class Main {
    interface Shape {
        default String title() {
            return "shape";
        }
    }

    public static class Base implements Shape {
        static final AtomicInteger RUNS = new AtomicInteger();
        static final AtomicInteger HELD_RUNS = new AtomicInteger();
        final String made;

        Base(String made) {
            this.made = made;
        }

        String name() {
            RUNS.incrementAndGet();
            return "base";
        }

        Object same(Object given) {
            RUNS.incrementAndGet();
            return given;
        }

        long big(long by, double fine) {
            return Long.MAX_VALUE - by - (long) fine;
        }

        static String fixed() {
            return "fixed";
        }

        private String hidden() {
            return "hidden";
        }

        String outer() {
            return hidden() + name();
        }

        String threw() {
            throw new IllegalStateException("own");
        }

        /** In here until it is let go. */
        String held(CountDownLatch inside, CountDownLatch go) throws InterruptedException {
            inside.countDown();
            go.await();
            return "held";
        }

        /** The same, and a subclass has its own that calls this one. */
        String heldBelow(CountDownLatch inside, CountDownLatch go) throws InterruptedException {
            HELD_RUNS.incrementAndGet();
            return held(inside, go);
        }

        /** In here, and in the system's write, until somebody reads. */
        String sent(Socket socket, CountDownLatch inside) throws Exception {
            inside.countDown();
            socket.getOutputStream().write(new byte[8 << 20]);
            return "sent";
        }
    }

    public static class Sub extends Base {
        Sub(String made) {
            super(made);
        }

        @Override
        String name() {
            RUNS.incrementAndGet();
            return "sub of " + super.name();
        }

        @Override
        Object same(Object given) {
            RUNS.incrementAndGet();
            return super.same(given);
        }

        @Override
        String heldBelow(CountDownLatch inside, CountDownLatch go) throws InterruptedException {
            HELD_RUNS.incrementAndGet();
            return "sub of " + super.heldBelow(inside, go);
        }
    }

    private static final List<Thread> HELD = new ArrayList<>();
    private static final List<String> GAVE = new ArrayList<>();
    private static final CountDownLatch GO = new CountDownLatch(1);
    private static Socket reader;

    public static void main(String[] args) throws Exception {
        System.out.println("up");
        Scanner in = new Scanner(System.in);
        while (in.hasNextLine()) {
            switch (in.nextLine()) {
                case "native" -> System.out.println(natives());
                case "call" -> System.out.println(calls());
                case "hold" -> hold();
                case "let go" -> letGo();
                case "end" -> System.exit(0);
                default -> throw new IllegalArgumentException();
            }
        }
    }

    /** Names of the methods that are native, asked of the virtual machine past all caches. */
    private static String natives() throws Exception {
        TreeSet<String> names = new TreeSet<>();
        for (Class<?> cls : new Class<?>[] {Shape.class, Base.class, Sub.class}) {
            for (String ask : new String[] {"getDeclaredMethods0", "getDeclaredConstructors0"}) {
                Method asks = Class.class.getDeclaredMethod(ask, boolean.class);
                asks.setAccessible(true);
                for (Executable each : (Executable[]) asks.invoke(cls, false)) {
                    if (Modifier.isNative(each.getModifiers())) {
                        names.add(cls.getSimpleName() + "." + (ask.contains("Constr") ? "new" : each.getName()));
                    }
                }
            }
        }
        return String.join(" ", names);
    }

    private static String calls() {
        StringBuilder wrong = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            Base base = new Base("b" + i);
            Sub sub = new Sub("s" + i);
            int before = Base.RUNS.get();
            check(wrong, "made", base.made.equals("b" + i) && sub.made.equals("s" + i));
            check(wrong, "name", base.name().equals("base"));
            check(wrong, "below", sub.name().equals("sub of base"));
            check(wrong, "same", base.same(wrong) == wrong && sub.same(base) == base);
            check(wrong, "big", sub.big(i, 2.5) == Long.MAX_VALUE - i - 2);
            check(wrong, "fixed", Base.fixed().equals("fixed"));
            check(wrong, "outer", base.outer().equals("hiddenbase"));
            check(wrong, "title", sub.title().equals("shape"));
            try {
                base.threw();
                check(wrong, "threw", false);
            } catch (IllegalStateException e) {
                check(wrong, "threw", e.getMessage().equals("own"));
            }
            check(wrong, "runs", Base.RUNS.get() - before == 7);
        }
        return wrong.isEmpty() ? "right" : wrong.toString();
    }

    private static void check(StringBuilder wrong, String what, boolean holds) {
        if (!holds && wrong.indexOf(what) < 0) {
            wrong.append(' ').append(what);
        }
    }

    interface Work {
        String call() throws Exception;
    }

    private static void hold() throws Exception {
        CountDownLatch inside = new CountDownLatch(5);
        ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Socket writer = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort());
        reader = server.accept();
        start(() -> new Base("").held(inside, GO));
        start(() -> new Sub("").held(inside, GO));
        start(() -> new Base("").heldBelow(inside, GO));
        start(() -> new Sub("").heldBelow(inside, GO));
        start(() -> new Sub("").sent(writer, inside));
        inside.await();
        System.out.println("held");
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                String gave = work.call();
                synchronized (GAVE) {
                    GAVE.add(gave);
                }
            } catch (Throwable e) {
                synchronized (GAVE) {
                    GAVE.add(e.toString());
                }
            }
        });
        HELD.add(thread);
        thread.start();
    }

    private static void letGo() throws Exception {
        // Who is inside is looked at: by the garbage collector, and by whoever asks for stacks.
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.getAllStackTraces();
        }
        GO.countDown();
        reader.getInputStream().readNBytes(8 << 20);
        for (Thread thread : HELD) {
            thread.join();
        }
        GAVE.sort(null);
        System.out.println(String.join(", ", GAVE) + ", runs " + Base.HELD_RUNS.get());
    }
}
