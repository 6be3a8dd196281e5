package android.app;

import android.content.Context;
import android.content.ContextWrapper;
import android.os.Bundle;
import java.util.ArrayList;
import java.util.List;

/** Base class for global application state. */
public class Application extends ContextWrapper {
    private final List<ActivityLifecycleCallbacks> mCallbacks = new ArrayList<>();

    /** Called on lifecycle changes of activities. */
    public interface ActivityLifecycleCallbacks {
        void onActivityCreated(Activity activity, Bundle savedInstanceState);

        void onActivityStarted(Activity activity);

        void onActivityResumed(Activity activity);

        void onActivityPaused(Activity activity);

        void onActivityStopped(Activity activity);

        void onActivitySaveInstanceState(Activity activity, Bundle outState);

        void onActivityDestroyed(Activity activity);
    }

    public Application() {
        super(null);
    }

    public void onCreate() {
    }

    public static String getProcessName() {
        return com.android.lab.Device.packageName();
    }

    public void registerActivityLifecycleCallbacks(ActivityLifecycleCallbacks callback) {
        synchronized (mCallbacks) {
            mCallbacks.add(callback);
        }
    }

    final void attach(Context context) {
        attachBaseContext(context);
    }

    List<ActivityLifecycleCallbacks> collectActivityLifecycleCallbacks() {
        synchronized (mCallbacks) {
            return List.copyOf(mCallbacks);
        }
    }
}
