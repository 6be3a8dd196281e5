package same;

/** The app has a class of this name, too, whose method stands on another line. */
public final class Name implements Runnable {
    /** Asks. */
    @Override
    public void run() {
        System.getProperty("os.version");
    }
}
