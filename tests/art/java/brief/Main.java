package brief;

/** Ends by itself after some milliseconds. */
public final class Main {
    public static void main(String[] args) throws Exception {
        Thread.sleep(Long.parseLong(args[0]));
        System.out.println("done");
    }
}
