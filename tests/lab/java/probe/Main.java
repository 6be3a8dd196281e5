package probe;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Does what its arguments name, and prints what the app itself saw: a hook must not change a thing. */
public class Main {
    static final String STATIC = Api.staticNumber();

    public static void main(String[] steps) throws Exception {
        Api api = new Api("main");
        for (String step : steps) {
            switch (step) {
                case "results" -> results(api);
                case "once" -> api.number();
                case "threads" -> threads(api);
                case "late" -> late(parallel());
                case "late-locked" -> late(oneAtATime());
                case "broken" -> broken(api);
                case "repeat" -> repeat(api);
                case "listen" -> listen(api);
                case "app" -> api.onEvent(() -> api.number());
                case "connect" -> connect();
                case "reuse" -> reuse();
                case "busy" -> busy(api);
                case "children" -> {
                    // A Java program's name can be read only while it runs; a busy agent looks late.
                    start(ProcessHandle.current().info().command().get(), "-Xshare:off", "-cp",
                            System.getProperty("java.class.path"), "probe.Main", "results", "pause");
                    start("true", "nothing");
                    start("sh", "-c", "exec true again");
                }
                case "short" -> {
                    for (int ms = 150; ms < 300; ms += 15) {
                        start(ProcessHandle.current().info().command().get(), "-Xshare:off", "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1", "-Dpause=" + ms, "-cp", System.getProperty("java.class.path"),
                                "probe.Main", "pause");
                    }
                }
                case "child" -> start(ProcessHandle.current().info().command().get(), "-Xshare:off", "-Dstop="
                        + System.getProperty("stop"), "-cp", System.getProperty("java.class.path"), "probe.Main", "until");
                case "until" -> until(api);
                case "wait" -> {
                    System.out.println("waiting");
                    while (System.in.read() != '\n') {
                        api.number(5);
                    }
                    results(api);
                }
                case "exit" -> {
                    api.number(7);
                    System.exit(3);
                }
                case "halt" -> {
                    api.number(7);
                    Runtime.getRuntime().halt(4);
                }
                case "hang" -> Thread.sleep(60_000);
                case "pause" -> Thread.sleep(Long.getLong("pause", 500));
                default -> throw new IllegalArgumentException(step);
            }
        }
        System.out.println("done");
    }

    /** 32 threads that call until a line comes in. */
    private static void busy(Api api) throws Exception {
        java.util.concurrent.atomic.AtomicLong calls = new java.util.concurrent.atomic.AtomicLong();
        java.util.concurrent.atomic.AtomicBoolean goes = new java.util.concurrent.atomic.AtomicBoolean(true);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            int number = i;
            Thread thread = new Thread(() -> {
                Object own = new Object();
                while (goes.get()) {
                    if (!api.number(number).equals("+1555000" + number) || api.identity(own) != own) {
                        System.out.println("busy CHANGED");
                    }
                    calls.incrementAndGet();
                    Thread.yield();
                }
            }, "busy-" + i);
            threads.add(thread);
            thread.start();
        }
        System.out.println("busy");
        long end = System.nanoTime() + Long.getLong("busy.seconds", 10) * 1_000_000_000L;
        java.nio.file.Path stop = Path.of(System.getProperty("busy.stop", "/nowhere"));
        while (System.nanoTime() < end && !Files.exists(stop)) {
            Thread.sleep(20);
        }
        goes.set(false);
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("calls " + calls.get());
    }

    /** Calls until there is a file, and ends of its own will. */
    private static void until(Api api) throws Exception {
        while (!Files.exists(Path.of(System.getProperty("stop")))) {
            check("number", api.number(8).equals("+15550008"));
            Thread.sleep(20);
        }
        System.exit(0);
    }

    private static void start(String... words) throws Exception {
        Process process = new ProcessBuilder(words).inheritIO().start();
        System.out.println(words[0].replaceAll(".*/", "") + " ended with " + process.waitFor());
    }

    private static void check(String what, boolean holds) {
        System.out.println(what + (holds ? " unchanged" : " CHANGED"));
    }

    private static void results(Api api) {
        byte[] bytes = new byte[300];
        Object object = new Object();
        check("overload", api.number(3).equals("+15550003"));
        check("arguments", api.number("p", Long.MIN_VALUE, 0.1, true, 'x', bytes).equals("p-92233720368547758080.1truex300"));
        check("static", Api.staticNumber().equals("+15550009"));
        check("outer", api.outer().equals("+15550001+15550002"));
        check("null", api.nothing() == null);
        check("blank", api.blank().isEmpty());
        check("same object", api.same() == Api.SAME);
        check("odd string", api.odd().equals("a\u0000b\uD83D\uDE00\uD800c"));
        check("long", api.big() == Long.MAX_VALUE - 1);
        check("filled array", api.fill(bytes) == 300 && bytes[299] == (byte) 299);
        check("identity", api.identity(object) == object);
        check("list", api.many().size() == 2);
        check("constructor", new Api("made").made.equals("made"));
        check("generic", api.generic("g") == "g");
        try {
            api.denied();
            check("denied", false);
        } catch (SecurityException e) {
            check("denied", e.getMessage().equals("no permission"));
        }
        try {
            api.threw();
            check("threw", false);
        } catch (RuntimeException e) {
            check("threw", e == Api.OWN);
        }
        try {
            api.hostile();
            check("hostile", false);
        } catch (Api.Hostile e) {
            check("hostile", true);
        }
        check("place", api.place().getLatitude() == 31.230416);
    }

    private static void threads(Api api) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int number = i;
            Thread thread = new Thread(() -> {
                for (int n = 0; n < 200; n++) {
                    if (!api.number(number).equals("+1555000" + number) || !api.outer().startsWith("+15550001")) {
                        System.out.println("thread CHANGED");
                    }
                }
            }, "worker-" + i);
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** A class of another loader, defined long after the hooks came up. */
    private static void late(ClassLoader loader) throws Exception {
        Object late = loader.loadClass("late.Late").getConstructor().newInstance();
        System.out.println(late.getClass().getMethod("secret").invoke(late));
    }

    /** A loader of the old kind, that holds one lock for all it does. */
    private static ClassLoader oneAtATime() throws Exception {
        byte[] bytes = Files.readAllBytes(Path.of(System.getProperty("late"), "late", "Late.class"));
        return new ClassLoader(Main.class.getClassLoader()) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                if (!name.equals("late.Late")) {
                    throw new ClassNotFoundException(name);
                }
                return defineClass(name, bytes, 0, bytes.length);
            }
        };
    }

    private static ClassLoader parallel() throws Exception {
        return new URLClassLoader(new URL[] {Path.of(System.getProperty("late")).toUri().toURL()});
    }

    private static void broken(Api api) {
        for (int i = 0; i < 20; i++) {
            check("broken", api.same() == Api.SAME);
        }
    }

    private static void repeat(Api api) {
        for (int i = 0; i < 500; i++) {
            api.number();
        }
    }

    private static void listen(Api api) {
        api.listen(place -> System.out.println("got " + place.getLatitude()));
        api.listen(new Api.Listener() {
            @Override
            public void onPlace(Api.Place place) {
                System.out.println("read " + api.number());
            }
        });
    }

    private static void connect() throws Exception {
        try (var server = new java.net.ServerSocket(0, 5, java.net.InetAddress.getByName("127.0.0.1"))) {
            int port = server.getLocalPort();
            System.out.println("server " + port);
            try (var socket = new java.net.Socket("localhost", port)) {
                System.out.println("client " + socket.getLocalPort());
            }
            try (var channel = java.nio.channels.SocketChannel.open(new java.net.InetSocketAddress("127.0.0.1", port))) {
                System.out.println("channel " + ((java.net.InetSocketAddress) channel.getLocalAddress()).getPort());
            }
        }
    }

    /** One connection, used by two pieces of code. */
    private static void reuse() throws Exception {
        try (var server = new java.net.ServerSocket(0, 5, java.net.InetAddress.getByName("127.0.0.1"));
                var socket = new java.net.Socket("127.0.0.1", server.getLocalPort())) {
            System.out.println("client " + socket.getLocalPort());
            one(socket);
            one(socket);
            other(socket);
        }
    }

    private static void one(java.net.Socket socket) throws Exception {
        Thread.sleep(20);
        socket.getOutputStream().write(1);
    }

    private static void other(java.net.Socket socket) throws Exception {
        Thread.sleep(20);
        socket.getOutputStream().write(2);
    }
}
