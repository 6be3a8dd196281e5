package fragile;

/** An app that dies when somebody looks into one of the things that it is given. */
public class Main {
    public static void main(String[] args) throws Exception {
        for (int i = 0; i != Integer.parseInt(args[0]); i++) {
            first();
            second();
            bomb();
            third();
            fourth();
            Thread.sleep(50);
        }
    }

    static String first() {
        return "+15550001";
    }

    static String second() {
        return "+15550002";
    }

    static String third() {
        return "+15550003";
    }

    static String fourth() {
        return "+15550004";
    }

    static Bomb bomb() {
        return new Bomb();
    }

    /** Ends the process by its own call, or from outside, so that the process cannot say a word. */
    public static class Bomb {
        public String exit() {
            System.exit(7);
            return "";
        }

        public String kill() throws Exception {
            new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid())).start().waitFor();
            Thread.sleep(10_000);
            return "";
        }
    }
}
