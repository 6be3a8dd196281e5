package classes;

import java.io.File;

/** Has its loaders before the agent comes. Arguments: a jar with the same program, a file to wait for. */
public final class Before {
    private Before() {
    }

    public static void main(String[] args) throws Exception {
        ClassLoader[] loaders = {Loaders.dex(args[0]), new Loaders.Custom(args[0])};
        for (ClassLoader loader : loaders) {
            loader.loadClass("classes.Plugin");
        }
        System.out.println("loaded");
        for (File open = new File(args[1]); !open.exists(); ) {
            Thread.sleep(10);
        }
        for (ClassLoader loader : loaders) {
            Loaders.plugIn(loader);
        }
        System.exit(0);
    }
}
