package android.app;

import android.content.Context;

/** As much of Android's as the agent watches. */
public class Application extends Context {
    private final Runnable attachBaseContext;

    public Application(ClassLoader loader, Runnable attachBaseContext) {
        super(loader);
        this.attachBaseContext = attachBaseContext;
    }

    public final void attach(Context context) {
        attachBaseContext.run();
    }
}
