package android.app;

import android.content.ContextWrapper;
import android.content.Intent;
import android.os.IBinder;

/** A longer-running operation without a screen. */
public abstract class Service extends ContextWrapper {
    public static final int START_STICKY = 1;
    private Application mApplication;

    public Service() {
        super(null);
    }

    final void attach(Application application) {
        attachBaseContext(application.getBaseContext());
        mApplication = application;
    }

    public final Application getApplication() {
        return mApplication;
    }

    public void onCreate() {
    }

    public int onStartCommand(Intent intent, int flags, int startId) {
        return START_STICKY;
    }

    public void onDestroy() {
    }

    public abstract IBinder onBind(Intent intent);
}
