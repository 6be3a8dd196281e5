package ways;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kotlin.coroutines.Continuation;

/** Gives values in each way that a source can name. */
public class Main {
    public static void main(String[] steps) throws Exception {
        for (String step : steps) {
            System.out.println("step " + step);
            switch (step) {
                case "when" -> {
                    outer("theirs");
                    outer("mine");
                }
                case "register" -> register(place -> System.out.println("got " + place.getLatitude()));
                case "unseen" -> {
                    Place known = place();
                    Place unknown = new Place(1.5, 2.5);
                    for (int i = 0; i != 3; i++) {
                        known.getLatitude();
                        unknown.getLatitude();
                    }
                }
                case "field" -> System.out.println(Service.API.number());
                case "flag" -> flag();
                case "about" -> {
                    about("ways");
                    about("ways.not");
                    about("other");
                }
                case "suspend" -> {
                    Continuation then = result -> System.out.println("resumed " + (result instanceof Place));
                    suspended(false, then);
                    suspended(true, then);
                    failing(then);
                }
                case "long" -> System.out.println(many(1500).size());
                case "objects" -> System.out.println(nested().size());
                case "forms" -> {
                    bytes();
                    address();
                    utf8();
                    map();
                    set();
                    field();
                    array();
                    counted();
                    countedMap();
                    new Cell(9);
                }
                default -> throw new IllegalArgumentException(step);
            }
        }
    }

    /** Hooked for some of its calls; what it calls itself is hooked for all. */
    static String outer(String which) {
        return inner();
    }

    static String inner() {
        return "+15550001";
    }

    static void register(Listener listener) {
        listener.onPlace(new Place(3.5, 4.5));
    }

    static Place place() {
        return new Place(31.230416, 121.473701);
    }

    static Flag flag() {
        return new Flag();
    }

    static String about(String app) {
        return app;
    }

    private static final Object SUSPENDED = new Object();

    /** As a suspend function is compiled: it returns its result, or a mark and gives the result later. */
    static Object suspended(boolean later, Continuation then) {
        if (!later) {
            return place();
        }
        then.resumeWith(place());
        return SUSPENDED;
    }

    static Object failing(Continuation then) {
        then.resumeWith(new IllegalStateException("as kotlin.Result$Failure"));
        return SUSPENDED;
    }

    static List<String> many(int count) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i != count; i++) {
            all.add("com.example.app" + i);
        }
        return all;
    }

    static List<Cell[]> nested() {
        return List.of(new Cell[] {new Cell(1), new Cell(2)}, new Cell[] {new Cell(3)});
    }

    static byte[] bytes() {
        return new byte[] {10, 27, -1, 0};
    }

    static byte[] address() {
        return bytes();
    }

    static byte[] utf8() {
        return "\u00e9t\u00e9".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    static Map<String, Object> map() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", "one");
        map.put("b", "two");
        return map;
    }

    static Set<Cell> set() {
        Set<Cell> set = new LinkedHashSet<>();
        set.add(new Cell(7));
        set.add(new Cell(8));
        return set;
    }

    static Outer field() {
        return new Outer();
    }

    static Cell[] array() {
        return new Cell[] {new Cell(1), new Cell(2)};
    }

    static List<String> counted() {
        return List.of("a", "b", "c");
    }

    static Map<String, Object> countedMap() {
        return map();
    }

    public static class Inner {
        public String name = "inside";
    }

    public static class Outer {
        public Inner inner = new Inner();
    }

    public interface Listener {
        void onPlace(Place place);
    }

    public interface Numbers {
        String number();
    }

    /** What an SDK of old offers: an object in a field. */
    public static class Service {
        public static final Numbers API = new Numbers() {
            @Override
            public String number() {
                return "+15550002";
            }
        };
    }

    public static class Flag {
        public boolean isOn() {
            return true;
        }

        public char letter() {
            return 'x';
        }
    }

    public record Cell(int id) {
        public int getId() {
            return id;
        }
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
