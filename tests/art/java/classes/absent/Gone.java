package absent;

/** The program is compiled with it and runs without it. */
public class Gone {
    public static class Trouble extends Exception {
    }

    public interface Able {
    }
}
