package first;

/** Calls two methods a few times: is anything seen at all? */
public final class Main {
    static String secret(String of, int number) {
        return "secret of " + of + " " + number;
    }

    int sum(int one, int other) {
        return one + other;
    }

    public static void main(String[] args) {
        Main main = new Main();
        for (int at = 0; at < 3; at++) {
            System.out.println(secret("bob", at) + " " + main.sum(at, 1));
        }
        System.out.println("done");
        System.exit(7);
    }
}
