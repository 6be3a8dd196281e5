package appwitness;

/** The agent hooks and calls this class in every run, to see whether its hooks work (hooks/watch/probe.ts). */
final class Probe implements Given {
    private final int number;

    Probe(int number) {
        this.number = number;
    }

    static int fixed() {
        return 1;
    }

    int own() {
        return number;
    }

    /** Calls each kind of method once; returns how many of the calls returned their own result. */
    static int run() {
        Probe probe = new Probe(1);
        Given given = probe;
        return (probe.number == 1 ? 1 : 0) + fixed() + probe.own() + given.given();
    }
}
