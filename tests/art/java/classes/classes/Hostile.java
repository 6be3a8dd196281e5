package classes;

import absent.Gone;
import java.util.List;

/** Classes of which a part is not there: an app that left a library out, and what leaned on it in. */
public final class Hostile {
    private Hostile() {
    }

    public static class Field {
        private static Gone shared;
        private Gone own;

        public String read() {
            return "field";
        }
    }

    public static class Constructor {
        private final String text;

        public Constructor(Gone gone) {
            text = "gone";
        }

        public Constructor(String text) {
            this.text = text;
        }

        public String read() {
            return text;
        }
    }

    public static class Signature {
        public String read(int number) {
            return "number " + number;
        }

        public String read(Gone gone) {
            return "gone";
        }

        public String alone(Gone gone) {
            return "alone";
        }

        public Gone made() {
            return null;
        }
    }

    public static class Throws {
        public String read(boolean fails) throws Gone.Trouble {
            return "throws";
        }
    }

    public static class Mentions<T extends List<? super Gone>> {
        private Gone[] several;

        public String read() {
            List<Gone> none = null;
            Object nothing = none;
            return "mentions " + nothing;
        }
    }

    public static class Below extends Gone {
        public String read() {
            return "below";
        }
    }

    public static class Implements implements Gone.Able {
        public String read() {
            return "implements";
        }
    }

    public static class Initialiser {
        static final int VALUE = Integer.parseInt("no number");

        public static String read() {
            return "initialised";
        }
    }

    interface Call {
        Object make() throws Throwable;
    }

    private static void print(String what, Call call) {
        String said;
        try {
            said = String.valueOf(call.make());
        } catch (Throwable e) {
            said = e.getClass().getName();
        }
        System.out.println(what + ": " + said);
    }

    static void play() {
        print("field", () -> new Field().read());
        print("constructor", () -> new Constructor("text").read());
        print("signature", () -> new Signature().read(7));
        print("gone", () -> new Signature().read((Gone) null));
        print("alone", () -> new Signature().alone(null));
        print("made", () -> new Signature().made());
        print("throws", () -> new Throws().read(false));
        print("mentions", () -> new Mentions<>().read());
        print("below", () -> new Below().read());
        print("implements", () -> new Implements().read());
        print("initialiser", () -> Initialiser.read());
        print("initialiser again", () -> Initialiser.read());
    }
}
