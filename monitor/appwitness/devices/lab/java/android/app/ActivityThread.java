package android.app;

import android.content.ActivityNotFoundException;
import android.content.BroadcastReceiver;
import android.content.ComponentName;
import android.content.ContentProvider;
import android.content.Intent;
import android.content.IntentFilter;
import android.content.pm.ApplicationInfo;
import android.content.pm.ProviderInfo;
import android.os.Handler;
import android.os.Looper;
import android.os.Message;
import android.util.Log;
import android.view.View;
import android.view.WindowManagerGlobal;
import com.android.lab.Device;
import com.android.lab.Quiet;
import com.android.providers.contacts.ContactsProvider2;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The main thread of an app process: starts the app, calls its components, runs the message loop. */
public final class ActivityThread {
    private static volatile ActivityThread sCurrentActivityThread;

    final H mH = new H();
    private final Instrumentation mInstrumentation = new Instrumentation();
    private final Map<String, ContentProvider> mProviders = new LinkedHashMap<>();
    private final Map<BroadcastReceiver, IntentFilter> mReceivers = new LinkedHashMap<>();
    private final Map<String, Service> mServices = new LinkedHashMap<>();
    private final List<Activity> mActivities = new ArrayList<>();
    private volatile boolean mOpened;
    private Application mInitialApplication;
    private ApplicationInfo mInfo;

    private record Launch(Intent intent) {
    }

    /** Handles the system's requests to the app, on the main thread. */
    final class H extends Handler {
        static final int BIND_APPLICATION = 110;
        static final int EXECUTE_TRANSACTION = 159;
        static final int RECEIVER = 113;
        static final int FINISH = 109;
        static final int CREATE_SERVICE = 114;
        static final int STOP_SERVICE = 116;
        static final int HOME = 120;
        static final int SCREEN = 121;

        H() {
            super(Looper.getMainLooper());
        }

        @Override
        public void handleMessage(Message msg) {
            switch (msg.what) {
                case BIND_APPLICATION -> handleBindApplication();
                case EXECUTE_TRANSACTION -> {
                    Activity activity = performLaunchActivity(((Launch) msg.obj).intent());
                    handleResumeActivity(activity);
                }
                case RECEIVER -> handleReceiver((Intent) msg.obj);
                case FINISH -> handleFinish((Activity) msg.obj);
                case CREATE_SERVICE -> handleCreateService((Intent) msg.obj);
                case STOP_SERVICE -> ((Service) msg.obj).onDestroy();
                case HOME -> handleHome();
                case SCREEN -> handleScreen((Boolean) msg.obj);
                default -> throw new IllegalArgumentException("message " + msg.what);
            }
        }
    }

    private ActivityThread() {
    }

    public static ActivityThread currentActivityThread() {
        return sCurrentActivityThread;
    }

    public Application getApplication() {
        return mInitialApplication;
    }

    private void handleBindApplication() {
        mInfo = new ApplicationInfo();
        mInfo.packageName = Device.packageName();
        mInfo.processName = mInfo.packageName;
        mInfo.className = Device.fact("application");
        mInfo.dataDir = Device.fact("data");
        mInfo.uid = android.os.Process.myUid();
        ContextImpl context = new ContextImpl(this, mInfo);
        try {
            mInitialApplication =
                    mInstrumentation.newApplication(context.getClassLoader(), mInfo.className, context);
            installContentProviders();
        } catch (ReflectiveOperationException e) {
            throw new RuntimeException("Unable to instantiate application " + mInfo.className, e);
        }
        mInstrumentation.callApplicationOnCreate(mInitialApplication);
    }

    /** Starts the app's own providers before its Application.onCreate, as Android does. */
    private void installContentProviders() throws ReflectiveOperationException {
        for (String name : Device.list("providers")) {
            ContentProvider provider =
                    (ContentProvider) Instrumentation.create(ActivityThread.class.getClassLoader(), name);
            ProviderInfo info = new ProviderInfo();
            info.name = name;
            info.packageName = mInfo.packageName;
            info.applicationInfo = mInfo;
            info.authority = mInfo.packageName + "." + name.substring(name.lastIndexOf('.') + 1).toLowerCase();
            mProviders.put(info.authority, provider);
            provider.attachInfo(mInitialApplication, info);
        }
    }

    ContentProvider acquireProvider(String authority) {
        synchronized (mProviders) {
            ContentProvider provider = mProviders.get(authority);
            if (provider == null && "com.android.contacts".equals(authority)) {
                provider = new ContactsProvider2();
                ApplicationInfo system = new ApplicationInfo();
                system.packageName = "com.android.providers.contacts";
                ProviderInfo info = new ProviderInfo();
                info.authority = authority;
                info.readPermission = "android.permission.READ_CONTACTS";
                info.writePermission = "android.permission.WRITE_CONTACTS";
                provider.attachInfo(new ContextImpl(this, system), info);
                mProviders.put(authority, provider);
            }
            return provider;
        }
    }

    private Activity performLaunchActivity(Intent intent) {
        ComponentName component = intent.getComponent();
        if (component == null) {
            throw new ActivityNotFoundException("No Activity found to handle " + intent);
        }
        try {
            Activity activity = mInstrumentation.newActivity(
                    ActivityThread.class.getClassLoader(), component.getClassName(), intent);
            activity.attach(new ContextImpl(this, mInfo), this, mInstrumentation, mInitialApplication, intent);
            for (Activity before : List.copyOf(mActivities)) {
                if (before.mResumed) {
                    handlePauseActivity(before);
                }
            }
            mActivities.add(activity);
            mInstrumentation.callActivityOnCreate(activity, null);
            activity.performStart();
            return activity;
        } catch (ReflectiveOperationException e) {
            throw new RuntimeException("Unable to start activity " + component, e);
        }
    }

    void handleResumeActivity(Activity activity) {
        if (activity.isFinishing()) {
            return;
        }
        activity.performResume();
        View decor = activity.getWindow().getDecorView();
        if (!decor.isAttachedToWindow()) {
            WindowManagerGlobal.getInstance().addBaseView(decor);
        }
    }

    void handlePauseActivity(Activity activity) {
        mInstrumentation.callActivityOnPause(activity);
    }

    private void handleFinish(Activity activity) {
        if (activity.mResumed) {
            handlePauseActivity(activity);
        }
        activity.performStop();
        WindowManagerGlobal.getInstance().removeView(activity.getWindow().getDecorView());
        mInstrumentation.callActivityOnDestroy(activity);
        mActivities.remove(activity);
        if (!mActivities.isEmpty()) {
            handleResumeActivity(mActivities.get(mActivities.size() - 1));
        }
    }

    private void handleReceiver(Intent intent) {
        List<BroadcastReceiver> receivers = new ArrayList<>();
        synchronized (mReceivers) {
            mReceivers.forEach((receiver, filter) -> {
                if (filter.hasAction(intent.getAction())) {
                    receivers.add(receiver);
                }
            });
        }
        if (intent.getComponent() != null) {
            try {
                receivers.add((BroadcastReceiver) Instrumentation.create(
                        ActivityThread.class.getClassLoader(), intent.getComponent().getClassName()));
            } catch (ReflectiveOperationException e) {
                throw new RuntimeException("Unable to instantiate receiver " + intent.getComponent(), e);
            }
        }
        for (BroadcastReceiver receiver : receivers) {
            receiver.onReceive(mInitialApplication, intent);
        }
    }

    private void handleCreateService(Intent intent) {
        String name = intent.getComponent().getClassName();
        Service service = mServices.get(name);
        try {
            if (service == null) {
                service = (Service) Instrumentation.create(ActivityThread.class.getClassLoader(), name);
                service.attach(mInitialApplication);
                mServices.put(name, service);
                service.onCreate();
            }
        } catch (ReflectiveOperationException e) {
            throw new RuntimeException("Unable to create service " + name, e);
        }
        service.onStartCommand(intent, 0, 1);
    }

    /** The home key: the app's screen disappears, and the app keeps running. */
    private void handleHome() {
        for (Activity activity : List.copyOf(mActivities)) {
            if (activity.mResumed) {
                handlePauseActivity(activity);
                activity.performStop();
            }
        }
    }

    /** The power key: the activity in front is paused, and windows and receivers are notified. */
    private void handleScreen(boolean on) {
        for (Activity activity : List.copyOf(mActivities)) {
            if (!on && activity.mResumed) {
                handlePauseActivity(activity);
            }
        }
        WindowManagerGlobal.getInstance().screenStateChanged(on ? View.SCREEN_STATE_ON : View.SCREEN_STATE_OFF);
        handleReceiver(new Intent(on ? Intent.ACTION_SCREEN_ON : Intent.ACTION_SCREEN_OFF));
    }

    /** Whether the user has opened the app yet. */
    public boolean isOpened() {
        return mOpened;
    }

    /** The user taps the app's icon. */
    public void open() {
        mOpened = true;
        scheduleLaunch(new Intent(Intent.ACTION_MAIN).setClassName(Device.packageName(), Device.fact("activity")));
    }

    /** The user presses Home. */
    public void pressHome() {
        mH.sendEmptyMessage(H.HOME);
    }

    /** The screen went on or off. */
    public void screenChanged(boolean on) {
        mH.obtainMessage(H.SCREEN, on).sendToTarget();
    }

    void addReceiver(BroadcastReceiver receiver, IntentFilter filter) {
        synchronized (mReceivers) {
            mReceivers.put(receiver, filter);
        }
    }

    void scheduleService(Intent intent) {
        mH.obtainMessage(H.CREATE_SERVICE, intent).sendToTarget();
    }

    void scheduleLaunch(Intent intent) {
        mH.obtainMessage(H.EXECUTE_TRANSACTION, new Launch(intent)).sendToTarget();
    }

    void scheduleFinish(Activity activity) {
        mH.obtainMessage(H.FINISH, activity).sendToTarget();
    }

    void scheduleBroadcast(Intent intent) {
        mH.obtainMessage(H.RECEIVER, intent).sendToTarget();
    }

    /** Entry point of the process; the device file (system property lab.device) says which app to run. */
    public static void main(String[] args) {
        Device.load();
        writePid();
        Thread.currentThread().setName("main");
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> {
            Log.e("AndroidRuntime", "FATAL EXCEPTION: " + thread.getName(), error);
            error.printStackTrace();
            Runtime.getRuntime().halt(10);
        });
        Looper.prepareMainLooper();
        ActivityThread thread = new ActivityThread();
        sCurrentActivityThread = thread;
        thread.mH.sendEmptyMessage(H.BIND_APPLICATION);
        String receiver = Device.fact("boot");
        if (receiver.isEmpty()) {
            thread.mH.postDelayed(thread::open, 150);
        } else {
            // The device has just booted: the system starts the app, and the user opens it once it is idle.
            thread.scheduleBroadcast(
                    new Intent(Intent.ACTION_BOOT_COMPLETED).setClassName(Device.packageName(), receiver));
        }
        Quiet.watch();
        Looper.loop();
        throw new RuntimeException("Main thread loop unexpectedly exited");
    }

    private static void writePid() {
        try {
            Files.writeString(Path.of(Device.fact("pid")), String.valueOf(ProcessHandle.current().pid()));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
