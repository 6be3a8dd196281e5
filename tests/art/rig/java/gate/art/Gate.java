package art;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileReader;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/**
 * Runs a program as a phone does: classes are initialised first, as those of the framework are by the zygote, and nothing
 * of the program runs before a file is there, as a process waits for its hooks. Arguments: a file that names those
 * classes, the file to wait for, the program's main class and its arguments.
 */
public final class Gate {
    private static final int POLL_MS = 10;

    private Gate() {
    }

    public static void main(String[] args) throws Throwable {
        System.loadLibrary("android_runtime");
        try (BufferedReader names = new BufferedReader(new FileReader(args[0]))) {
            for (String name = names.readLine(); name != null; name = names.readLine()) {
                initialise(name);
            }
        }
        System.out.println("at the gate");
        for (File open = new File(args[1]); !open.exists(); ) {
            Thread.sleep(POLL_MS);
        }
        Class<?> program = Class.forName(args[2], true, ClassLoader.getSystemClassLoader());
        try {
            program.getMethod("main", String[].class).invoke(null, (Object) Arrays.copyOfRange(args, 3, args.length));
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static void initialise(String name) {
        try {
            Class.forName(name, true, ClassLoader.getSystemClassLoader());
        } catch (ClassNotFoundException e) {
            return; // this device has not got it
        } catch (LinkageError e) {
            System.out.println("cannot be initialised: " + name + ": " + e);
        }
    }
}
