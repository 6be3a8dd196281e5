package same;

/** Another package has a class of this name, too. */
public final class Name implements Runnable {
    @Override
    public void run() {
        System.getProperty("os.version");
    }
}
