package table;

import android.os.Process;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;

/** Every way in which a method is called: each row prints its name and what the app itself got. */
public final class Main {
    static final class Instance {
        private final String name;

        Instance(String name) {
            this.name = name;
        }

        String read(String what) {
            return name + "/" + what;
        }

        private String hidden(String what) {
            return name + ":" + what;
        }

        final String sealed(String what) {
            return name + "!" + what;
        }

        String callsHidden(String what) {
            return hidden(what);
        }
    }

    static final class Static {
        static String read(int number) {
            return "number " + number;
        }
    }

    static final class Locked {
        synchronized String read(boolean fails) {
            if (fails) {
                throw new IllegalStateException("asked to");
            }
            return "locked";
        }

        /** Whether another thread gets the lock. */
        String free() throws InterruptedException {
            String[] got = {"held"};
            Thread other = new Thread(() -> {
                synchronized (this) {
                    got[0] = "free";
                }
            });
            other.start();
            other.join(5000);
            return got[0];
        }
    }

    static final class Arguments {
        static String many(String... parts) {
            return parts.length + String.join("+", parts);
        }

        static String mixed(long a, double b, float c, int d, short e, byte f, char g, boolean h, String i, long j, double k, int l) {
            return a + "|" + b + "|" + c + "|" + d + "|" + e + "|" + f + "|" + g + "|" + h + "|" + i + "|" + j + "|" + k + "|" + l;
        }
    }

    static final class Recursive {
        static String down(int left) {
            return left == 0 ? "." : left + down(left - 1);
        }
    }

    enum Colour {
        RED, GREEN;

        String read() {
            return "colour " + name();
        }
    }

    static final class Made {
        final String text;

        Made(String text) {
            this.text = text;
        }
    }

    static final class Early {
        static final String KEPT = read();

        static String read() {
            return "early";
        }
    }

    static final class Thrower {
        static String read(String what) {
            if (what.startsWith("no")) {
                throw new SecurityException(what);
            }
            return what;
        }
    }

    static final class Reached {
        static String read(String by) {
            return "by " + by;
        }

        String here(String by) {
            return "here by " + by;
        }
    }

    interface Reader {
        String read(String what);
    }

    abstract static class Half {
        String whole(String what) {
            return part(what) + part(what);
        }

        abstract String part(String what);
    }

    static final class Other extends Half {
        @Override
        String part(String what) {
            return "<" + what + ">";
        }
    }

    static class Above {
        String read(String what) {
            return "above " + what;
        }
    }

    static final class Below extends Above {
        @Override
        String read(String what) {
            return super.read(what) + " below";
        }
    }

    static final class Runs implements Runnable {
        static String noted;

        @Override
        public void run() {
            noted = note("native");
        }

        String note(String by) {
            return "run by " + by;
        }
    }

    static final class Sorted implements Comparable<Sorted> {
        final int number;

        Sorted(int number) {
            this.number = number;
        }

        @Override
        public int compareTo(Sorted other) {
            return Integer.compare(number, other.number);
        }

        @Override
        public String toString() {
            return "" + number;
        }
    }

    private static void row(String name, Callable<Object> work) {
        String got;
        try {
            got = String.valueOf(work.call());
        } catch (Throwable e) {
            got = "threw " + e;
        }
        System.out.println(name + " = " + got);
    }

    public static void main(String[] args) {
        Instance one = new Instance("one");
        row("instance", () -> one.read("a") + " " + one.read("b"));
        row("static", () -> Static.read(1) + " " + Static.read(2));
        row("private", () -> one.callsHidden("c"));
        row("final", () -> one.sealed("d"));
        Locked lock = new Locked();
        row("synchronized", () -> lock.read(false) + " " + lock.free());
        row("synchronized, throwing", () -> lock.read(true));
        row("its lock afterwards", lock::free);
        row("varargs", () -> Arguments.many() + " " + Arguments.many("x", "y"));
        row("mixed", () -> Arguments.mixed(1L << 40, 0.5, 0.25f, -3, (short) -4, (byte) -5, '\u4e07', true, "s", -6L, 1e300, 7));
        row("recursion", () -> Recursive.down(3));
        row("enum", () -> Colour.RED.read() + " " + Colour.GREEN.read());
        row("native", () -> Process.getElapsedCpuTime() > 0);
        row("new", () -> new Made("made").text);
        row("new by reflection", () -> Made.class.getDeclaredConstructor(String.class).newInstance("reflected").text);
        row("static initialiser", () -> Early.KEPT);
        row("exception", () -> Thrower.read("fine") + Thrower.read("no way"));
        row("reflection", () -> {
            Method method = Reached.class.getDeclaredMethod("here", String.class);
            return method.invoke(new Reached(), "reflection");
        });
        row("proxy", () -> {
            InvocationHandler handler = (self, method, given) -> Reached.read("proxy " + given[0]);
            Reader reader = (Reader) java.lang.reflect.Proxy.newProxyInstance(
                Reader.class.getClassLoader(), new Class<?>[] {Reader.class}, handler);
            return reader.read("e");
        });
        row("method handle", () -> {
            MethodType type = MethodType.methodType(String.class, String.class);
            MethodHandle there = MethodHandles.lookup().findStatic(Reached.class, "read", type);
            MethodHandle here = MethodHandles.lookup().findVirtual(Reached.class, "here", type);
            try {
                return (String) there.invoke("handle") + " " + (String) here.invoke(new Reached(), "handle");
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        });
        row("lambda", () -> {
            Supplier<String> supplier = () -> Reached.read("lambda");
            Function<String, String> reference = new Reached()::here;
            return supplier.get() + " " + reference.apply("reference");
        });
        row("abstract", () -> new Other().whole("f"));
        row("super", () -> new Below().read("g"));
        row("jni", () -> {
            Thread thread = new Thread(new Runs());
            thread.start();
            thread.join();
            return Runs.noted;
        });
        row("sort", () -> {
            Sorted[] all = {new Sorted(3), new Sorted(1), new Sorted(2)};
            Arrays.sort(all);
            return Arrays.toString(all);
        });
        System.exit(0);
    }
}
