package classes;

import android.app.Application;
import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.zip.ZipFile;

/** Class loaders as plug-ins and packers use them. */
final class Loaders {
    static final int CALLS = 3;
    private static final int THREADS = 8;
    private static final int LOADERS_EACH = 4;
    private static final String DEX = "dalvik.system.";

    private Loaders() {
    }

    static ClassLoader dex(String path) throws Exception {
        Constructor<?> made = Class.forName(DEX + "DexClassLoader")
                .getConstructor(String.class, String.class, String.class, ClassLoader.class);
        return (ClassLoader) made.newInstance(path, null, null, null);
    }

    static ClassLoader inMemory(String path) throws Exception {
        byte[] bytes;
        try (ZipFile jar = new ZipFile(path); InputStream in = jar.getInputStream(jar.getEntry("classes.dex"))) {
            bytes = in.readAllBytes();
        }
        Constructor<?> made =
                Class.forName(DEX + "InMemoryDexClassLoader").getConstructor(ByteBuffer.class, ClassLoader.class);
        return (ClassLoader) made.newInstance(ByteBuffer.wrap(bytes), null);
    }

    /** The same class, from this loader. */
    static void plugIn(ClassLoader loader) throws Exception {
        Class<?> plugin = Class.forName("classes.Plugin", true, loader);
        if (plugin.getClassLoader() != loader) {
            throw new IllegalStateException("another loader's");
        }
        Object object = plugin.getConstructor().newInstance();
        Method read = plugin.getMethod("read", int.class);
        Method below = plugin.getMethod("below", int.class);
        for (int at = 0; at < CALLS; at++) {
            if (!read.invoke(object, at).equals("plugin " + at) || !below.invoke(object, at).equals("below " + at)) {
                throw new IllegalStateException("not its own result");
            }
        }
    }

    static void burst(String path) throws Exception {
        CountDownLatch begin = new CountDownLatch(1);
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int at = 0; at < THREADS; at++) {
            Thread thread = new Thread(() -> {
                try {
                    begin.await();
                    for (int n = 0; n < LOADERS_EACH; n++) {
                        plugIn(dex(path));
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        begin.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("burst: " + failures);
    }

    private static Object pathsOf(ClassLoader loader) throws Exception {
        Field paths = Class.forName(DEX + "BaseDexClassLoader").getDeclaredField("pathList");
        paths.setAccessible(true);
        return paths.get(loader);
    }

    private static void use(ClassLoader loader, String how) throws Exception {
        Class<?> packed = Class.forName("classes.Packed", true, loader);
        if (packed.getClassLoader() != loader) {
            throw new IllegalStateException("another loader's");
        }
        Object said = packed.getMethod("read", String.class).invoke(packed.getConstructor().newInstance(), how);
        System.out.println(how + ": " + said);
    }

    /** Other elements are put in the place of a loader's own. */
    static void elements(ClassLoader loader, String path) throws Exception {
        Object paths = pathsOf(loader);
        Method make = paths.getClass().getDeclaredMethod("makePathElements", List.class, File.class, List.class);
        make.setAccessible(true);
        Object made = make.invoke(null, Collections.singletonList(new File(path)), null, new ArrayList<>());
        Field elements = paths.getClass().getDeclaredField("dexElements");
        elements.setAccessible(true);
        elements.set(paths, made);
    }

    static void added(ClassLoader loader, String path) throws Exception {
        Class.forName(DEX + "BaseDexClassLoader").getMethod("addDexPath", String.class).invoke(loader, path);
    }

    /** A loader of the app's own kind, which takes classes out of a dex file itself. */
    static final class Custom extends ClassLoader {
        private final Object file;

        Custom(String path) throws Exception {
            super(ClassLoader.getSystemClassLoader().getParent());
            Method load = Class.forName(DEX + "DexFile").getMethod("loadDex", String.class, String.class, int.class);
            file = load.invoke(null, path, null, 0);
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            try {
                Method load = file.getClass().getMethod("loadClass", String.class, ClassLoader.class);
                Object found = load.invoke(file, name, this);
                if (found != null) {
                    return (Class<?>) found;
                }
            } catch (ReflectiveOperationException e) {
                throw new ClassNotFoundException(name, e);
            }
            throw new ClassNotFoundException(name);
        }
    }

    static void play(String path) throws Exception {
        plugIn(dex(path));
        plugIn(dex(path));
        plugIn(inMemory(path));
        System.out.println("plugged in");

        ClassLoader later = dex("");
        added(later, path);
        use(later, "added");

        use(new Custom(path), "custom");

        ClassLoader replaced = dex("");
        new Application(replaced, () -> {
            try {
                elements(replaced, path);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }).attach(null);
        use(replaced, "elements");

        ClassLoader swapped = new Custom(path);
        new Application(null, () -> Thread.currentThread().setContextClassLoader(swapped)).attach(null);
        use(swapped, "context");

        burst(path);
    }
}
