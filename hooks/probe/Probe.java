package appwitness;

/** What the agent hooks and calls in every run, to see whether its hooks work in this process (hooks/watch/probe.ts). */
final class Probe implements Given {
    private final int own;

    Probe(int own) {
        this.own = own;
    }

    static int fixed() {
        return 1;
    }

    int own() {
        return own;
    }

    /** Calls each kind of method once; gives how many calls came back with their own result. */
    static int run() {
        Probe probe = new Probe(1);
        Given given = probe;
        return (probe.own == 1 ? 1 : 0) + fixed() + probe.own() + given.given();
    }
}
