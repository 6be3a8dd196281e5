package again;

/** Calls one method again and again, and says what it got. */
public final class Main {
    static String secret(int number) {
        return "secret " + number;
    }

    public static void main(String[] args) throws InterruptedException {
        for (int at = 0; at < 6000; at++) {
            System.out.println(secret(at));
            Thread.sleep(20);
        }
    }
}
