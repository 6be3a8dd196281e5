package probe;

import java.util.List;

/** What the tests hook: one method for each thing that a hook may get wrong. */
public class Api {
    public static final RuntimeException OWN = new IllegalStateException("own");
    public static final String SAME = new String("same object");
    static final String EARLY = staticNumber();

    public final String made;

    public Api(String made) {
        this.made = made;
    }

    public String number() {
        return "+15550001";
    }

    public String number(int slot) {
        return "+1555000" + slot;
    }

    public String number(String prefix, long big, double fine, boolean yes, char letter, byte[] bytes) {
        return prefix + big + fine + yes + letter + bytes.length;
    }

    public static String staticNumber() {
        return "+15550009";
    }

    /** Calls two hooked methods: the framework does such things; it is one access. */
    public String outer() {
        return number() + number(2);
    }

    public String nothing() {
        return null;
    }

    public String blank() {
        return "";
    }

    public String denied() {
        throw new SecurityException("no permission");
    }

    public String threw() {
        throw OWN;
    }

    public String same() {
        return SAME;
    }

    /** Not every string survives a way through UTF-8. */
    public String odd() {
        return "a\u0000b\uD83D\uDE00\uD800c";
    }

    public long big() {
        return Long.MAX_VALUE - 1;
    }

    /** Fills the caller's own array. */
    public int fill(byte[] into) {
        for (int i = 0; i < into.length; i++) {
            into[i] = (byte) i;
        }
        return into.length;
    }

    public Object identity(Object given) {
        return given;
    }

    public List<Api> many() {
        return List.of(new Api("one"), new Api("two"));
    }

    public String getMade() {
        return made;
    }

    public <T extends Comparable<T>> T generic(T given) {
        return given;
    }

    /** An exception that cannot even be described. */
    public String hostile() throws Hostile {
        throw new Hostile();
    }

    public static class Hostile extends Exception {
        @Override
        public String toString() {
            throw new IllegalStateException("toString");
        }
    }

    /** The app's own code runs inside: what it reads counts. */
    public void onEvent(Runnable own) {
        own.run();
    }

    public Place place() {
        return new Place(31.230416, -1e-7);
    }

    public void listen(Listener listener) {
        listener.onPlace(new Place(1.5, 2.25));
    }

    public String slow(int milliseconds) throws InterruptedException {
        Thread.sleep(milliseconds);
        return "slow";
    }

    public interface Listener {
        void onPlace(Place place);
    }

    public static class Place {
        private final double latitude;
        private final double longitude;

        Place(double latitude, double longitude) {
            this.latitude = latitude;
            this.longitude = longitude;
        }

        public double getLatitude() {
            return latitude;
        }

        public double getLongitude() {
            return longitude;
        }
    }
}
