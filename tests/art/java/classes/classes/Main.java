package classes;

/** Classes that are hard to hook; or, where a jar with the same program is named, loaders that bring its classes again. */
public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            Hostile.play();
        } else {
            Loaders.play(args[0]);
        }
        System.out.println("done");
        System.exit(0);
    }
}
