package android.app;

import android.content.BroadcastReceiver;
import android.content.ClipboardManager;
import android.content.ComponentName;
import android.content.ContentResolver;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.content.ProvidedResolver;
import android.content.SharedPreferences;
import android.content.pm.ApplicationInfo;
import android.content.pm.PackageManager;
import android.location.LocationManager;
import android.os.Bundle;
import android.os.Looper;
import android.os.PowerManager;
import android.telecom.TelecomManager;
import android.telephony.SubscriptionManager;
import android.telephony.TelephonyManager;
import com.android.lab.Device;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.Map;

/** The context inside all of an app's context wrappers. */
class ContextImpl extends Context {
    private static final Map<String, Class<?>> SERVICES = Map.of(
            CLIPBOARD_SERVICE, ClipboardManager.class,
            LOCATION_SERVICE, LocationManager.class,
            POWER_SERVICE, PowerManager.class,
            TELEPHONY_SERVICE, TelephonyManager.class,
            TELEPHONY_SUBSCRIPTION_SERVICE, SubscriptionManager.class,
            TELECOM_SERVICE, TelecomManager.class);
    private final ActivityThread mMainThread;
    private final ApplicationInfo mInfo;
    private final ContentResolver mContentResolver;
    private final Map<String, Object> mServices = new LinkedHashMap<>();
    private final Map<String, SharedPreferences> mPreferences = new LinkedHashMap<>();

    ContextImpl(ActivityThread mainThread, ApplicationInfo info) {
        mMainThread = mainThread;
        mInfo = info;
        mContentResolver = new ProvidedResolver(this, mainThread::acquireProvider);
    }

    @Override
    public PackageManager getPackageManager() {
        return new ApplicationPackageManager(mInfo);
    }

    @Override
    public ContentResolver getContentResolver() {
        return mContentResolver;
    }

    @Override
    public Looper getMainLooper() {
        return Looper.getMainLooper();
    }

    @Override
    public Context getApplicationContext() {
        Application application = mMainThread.getApplication();
        return application != null ? application : this;
    }

    @Override
    public ClassLoader getClassLoader() {
        return ContextImpl.class.getClassLoader();
    }

    @Override
    public String getPackageName() {
        return mInfo.packageName;
    }

    @Override
    public ApplicationInfo getApplicationInfo() {
        return mInfo;
    }

    @Override
    public synchronized SharedPreferences getSharedPreferences(String name, int mode) {
        return mPreferences.computeIfAbsent(name, SharedPreferencesImpl::new);
    }

    private File dir(String name) {
        File dir = new File(mInfo.dataDir, name);
        dir.mkdirs();
        return dir;
    }

    @Override
    public File getFilesDir() {
        return dir("files");
    }

    @Override
    public void startActivity(Intent intent) {
        startActivity(intent, null);
    }

    @Override
    public void startActivity(Intent intent, Bundle options) {
        if ((intent.getFlags() & Intent.FLAG_ACTIVITY_NEW_TASK) == 0) {
            throw new RuntimeException("Calling startActivity() from outside of an Activity context requires the "
                    + "FLAG_ACTIVITY_NEW_TASK flag. Is this really what you want?");
        }
        mMainThread.scheduleLaunch(intent);
    }

    @Override
    public void sendBroadcast(Intent intent) {
        mMainThread.scheduleBroadcast(intent);
    }

    @Override
    public ComponentName startService(Intent service) {
        mMainThread.scheduleService(service);
        return service.getComponent();
    }

    @Override
    public Intent registerReceiver(BroadcastReceiver receiver, IntentFilter filter) {
        return registerReceiver(receiver, filter, RECEIVER_EXPORTED);
    }

    @Override
    public Intent registerReceiver(BroadcastReceiver receiver, IntentFilter filter, int flags) {
        mMainThread.addReceiver(receiver, filter);
        return null;
    }

    @Override
    public synchronized Object getSystemService(String name) {
        return mServices.computeIfAbsent(name, key -> switch (key) {
            case CLIPBOARD_SERVICE -> new ClipboardManager(this);
            case POWER_SERVICE -> new PowerManager(this);
            case LOCATION_SERVICE -> new LocationManager(this);
            case TELEPHONY_SERVICE -> new TelephonyManager(this);
            case TELEPHONY_SUBSCRIPTION_SERVICE -> new SubscriptionManager(this);
            case TELECOM_SERVICE -> new TelecomManager(this);
            default -> null;
        });
    }

    @Override
    public String getSystemServiceName(Class<?> serviceClass) {
        for (Map.Entry<String, Class<?>> service : SERVICES.entrySet()) {
            if (service.getValue() == serviceClass) {
                return service.getKey();
            }
        }
        return null;
    }

    @Override
    public int checkPermission(String permission, int pid, int uid) {
        return Device.isGranted(permission) ? PackageManager.PERMISSION_GRANTED : PackageManager.PERMISSION_DENIED;
    }

    @Override
    public int checkSelfPermission(String permission) {
        return checkPermission(permission, 0, 0);
    }

    @Override
    public void enforceCallingOrSelfPermission(String permission, String message) {
        if (checkSelfPermission(permission) != PackageManager.PERMISSION_GRANTED) {
            throw new SecurityException((message == null ? "" : message + ": ") + "Neither user "
                    + android.os.Process.myUid() + " nor current process has " + permission + ".");
        }
    }
}
