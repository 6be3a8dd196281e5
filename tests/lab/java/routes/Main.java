package routes;

import java.io.BufferedReader;
import java.io.FileReader;
import java.lang.reflect.Method;

/** Reads personal data past the Java API: in native code, and in Java through files. */
public class Main {
    static native int take(int step);

    public static void main(String[] steps) throws Exception {
        System.load(System.getProperty("routes"));
        for (String step : steps) {
            if (step.equals("java")) {
                System.out.println(step + " " + java());
            } else if (step.equals("covered")) {
                System.out.println(step + " " + Api.outer());
            } else if (step.equals("reflection")) {
                Method method = Class.forName("routes.Main$Api").getDeclaredMethod("number");
                System.out.println(step + " " + method.invoke(null));
            } else {
                System.out.println(step + " " + take(Integer.parseInt(step)));
            }
        }
    }

    static String java() throws Exception {
        try (BufferedReader in = new BufferedReader(new FileReader("/proc/sys/kernel/random/boot_id"))) {
            return in.readLine();
        }
    }

    /** An API of the framework that reads a file itself. */
    static class Api {
        static String outer() throws Exception {
            return java();
        }

        static String number() {
            return "+15550001";
        }
    }
}
