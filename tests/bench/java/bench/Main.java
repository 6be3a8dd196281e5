package bench;

/** Calls one method many times and prints how long a call took. */
public class Main {
    /** What is hooked: a call that makes a string, as most that give personal data do. */
    public static class Api {
        private int n;

        public String same() {
            return new StringBuilder("+8613800138").append("000").toString();
        }

        public String other() {
            n++;
            return new StringBuilder("+86138").append(10000000 + n).toString();
        }
    }

    interface Work {
        String call();
    }

    public static void main(String[] args) throws Exception {
        if (args.length > 3) {
            System.out.println("waiting");
            System.in.read();
        }
        Api api = new Api();
        Work work = args[0].equals("same") ? api::same : api::other;
        int calls = Integer.parseInt(args[1]);
        int depth = Integer.parseInt(args[2]);
        int warm = Math.min(calls / 5, 20_000);
        deep(depth, work, warm);
        long begun = System.nanoTime();
        deep(depth, work, calls);
        System.out.println("ns " + (System.nanoTime() - begun) / calls);
        System.exit(0);
    }

    private static int deep(int depth, Work work, int calls) {
        if (depth > 0) {
            return deep(depth - 1, work, calls);
        }
        int length = 0;
        for (int i = 0; i < calls; i++) {
            length += work.call().length();
        }
        return length;
    }
}
