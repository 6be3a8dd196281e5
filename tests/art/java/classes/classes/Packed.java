package classes;

/** Comes into a loader that was there before. */
public class Packed {
    public String read(String how) {
        return "packed " + how;
    }
}
