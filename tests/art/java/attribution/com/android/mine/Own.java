package com.android.mine;

/** The app's own code, by a name like the platform's. */
public final class Own implements Runnable {
    @Override
    public void run() {
        System.getProperty("os.arch");
    }
}
