package compiled;

import java.io.File;

/**
 * A loop that has been compiled when the hooks come and goes on afterwards, with an inlined call in it. Arguments: the
 * file until whose appearance the loop runs; calls after the loop; milliseconds until it is compiled.
 */
public final class Running {
    private static int wrong;
    private static int calls;

    private static boolean loop(File end, long hot) {
        boolean told = false;
        for (int n = 0; ; n++) {
            if (Main.Api.small(n).length() != (n % 2 == 0 ? 4 : 3)) {
                wrong++;
            }
            calls++;
            if (n % 50 == 0) {
                if (!told && System.currentTimeMillis() > hot) {
                    told = true;
                    System.out.println("hot");
                }
                if (end.exists()) {
                    return told;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            wrong++;
        }
    }

    private static void afterwards(int times) {
        for (int n = 0; n < times; n++) {
            if (Main.Api.small(n).length() != (n % 2 == 0 ? 4 : 3)) {
                wrong++;
            }
        }
    }

    public static void main(String[] args) throws InterruptedException {
        boolean told = loop(new File(args[0]), System.currentTimeMillis() + Integer.parseInt(args[2]));
        Thread other = new Thread(() -> afterwards(Integer.parseInt(args[1]))); // this method, too, stays as it was compiled
        other.start();
        other.join();
        System.out.println("wrong: " + wrong);
        System.exit(told ? 0 : 1);
    }
}
