package android.app;

import android.content.Context;
import android.content.Intent;
import android.os.Bundle;

/** Creates applications and activities and calls their lifecycle methods. */
public class Instrumentation {
    public Instrumentation() {
    }

    public Application newApplication(ClassLoader cl, String className, Context context)
            throws InstantiationException, IllegalAccessException, ClassNotFoundException {
        Application app = (Application) create(cl, className);
        app.attach(context);
        return app;
    }

    public Activity newActivity(ClassLoader cl, String className, Intent intent)
            throws InstantiationException, IllegalAccessException, ClassNotFoundException {
        return (Activity) create(cl, className);
    }

    static Object create(ClassLoader cl, String className) throws InstantiationException, ClassNotFoundException {
        try {
            return cl.loadClass(className).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            if (e instanceof ClassNotFoundException missing) {
                throw missing;
            }
            throw (InstantiationException) new InstantiationException(className).initCause(e);
        }
    }

    public void callApplicationOnCreate(Application app) {
        app.onCreate();
    }

    public void callActivityOnCreate(Activity activity, Bundle icicle) {
        activity.performCreate(icicle);
    }

    public void callActivityOnStart(Activity activity) {
        activity.onStart();
    }

    public void callActivityOnResume(Activity activity) {
        activity.mResumed = true;
        activity.onResume();
    }

    public void callActivityOnPause(Activity activity) {
        activity.performPause();
    }

    public void callActivityOnStop(Activity activity) {
        activity.onStop();
    }

    public void callActivityOnDestroy(Activity activity) {
        activity.onDestroy();
    }
}
