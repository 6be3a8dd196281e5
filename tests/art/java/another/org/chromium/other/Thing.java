package org.chromium.other;

/** Another package's code, which is loaded into the app's process. */
public final class Thing implements Runnable {
    @Override
    public void run() {
        System.getProperty("http.agent");
    }

    public static Runnable ofTheSameName() {
        return new same.Name();
    }
}
