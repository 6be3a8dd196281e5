package android.app;

import android.content.Context;
import android.content.Intent;
import android.os.Bundle;
import android.view.ContextThemeWrapper;
import android.view.MotionEvent;
import android.view.View;
import android.view.Window;
import com.android.internal.policy.PhoneWindow;
import com.android.lab.PermissionController;
import java.util.function.Consumer;

/** A single, focused thing that the user can do. */
public class Activity extends ContextThemeWrapper implements Window.Callback {
    public static final int RESULT_OK = -1;
    static final String REQUEST_PERMISSIONS_WHO_PREFIX = "@android:requestPermissions:";

    boolean mResumed;
    private ActivityThread mMainThread;
    private Application mApplication;
    private Instrumentation mInstrumentation;
    private Intent mIntent;
    private Window mWindow;
    private boolean mFinished;
    private boolean mDestroyed;
    private boolean mHasCurrentPermissionsRequest;

    public Activity() {
    }

    final void attach(
            Context context, ActivityThread thread, Instrumentation instrumentation, Application app, Intent intent) {
        attachBaseContext(context);
        mMainThread = thread;
        mInstrumentation = instrumentation;
        mApplication = app;
        mIntent = intent;
        mWindow = new PhoneWindow(this);
        mWindow.setCallback(this);
    }

    public Intent getIntent() {
        return mIntent;
    }

    public final Application getApplication() {
        return mApplication;
    }

    public Window getWindow() {
        return mWindow;
    }

    protected void onCreate(Bundle savedInstanceState) {
        each(callback -> callback.onActivityCreated(this, savedInstanceState));
    }

    protected void onStart() {
        each(callback -> callback.onActivityStarted(this));
    }

    protected void onResume() {
        each(callback -> callback.onActivityResumed(this));
    }

    protected void onPostResume() {
    }

    protected void onPause() {
        each(callback -> callback.onActivityPaused(this));
    }

    protected void onStop() {
        each(callback -> callback.onActivityStopped(this));
    }

    protected void onDestroy() {
        mDestroyed = true;
        each(callback -> callback.onActivityDestroyed(this));
    }

    private void each(Consumer<Application.ActivityLifecycleCallbacks> call) {
        mApplication.collectActivityLifecycleCallbacks().forEach(call);
    }

    final void performCreate(Bundle icicle) {
        onCreate(icicle);
    }

    final void performStart() {
        mInstrumentation.callActivityOnStart(this);
    }

    final void performResume() {
        mInstrumentation.callActivityOnResume(this);
        onPostResume();
    }

    final void performPause() {
        mResumed = false;
        onPause();
    }

    final void performStop() {
        mInstrumentation.callActivityOnStop(this);
    }

    public void setContentView(View view) {
        getWindow().setContentView(view);
    }

    public boolean dispatchTouchEvent(MotionEvent ev) {
        return getWindow().superDispatchTouchEvent(ev) || onTouchEvent(ev);
    }

    public boolean onTouchEvent(MotionEvent event) {
        return false;
    }

    public void onAttachedToWindow() {
    }

    public void onDetachedFromWindow() {
    }

    public void onContentChanged() {
    }

    public void onBackPressed() {
        finish();
    }

    public void finish() {
        if (!mFinished) {
            mFinished = true;
            mMainThread.scheduleFinish(this);
        }
    }

    public boolean isFinishing() {
        return mFinished;
    }

    public boolean isDestroyed() {
        return mDestroyed;
    }

    @Override
    public void startActivity(Intent intent) {
        startActivity(intent, null);
    }

    @Override
    public void startActivity(Intent intent, Bundle options) {
        mMainThread.scheduleLaunch(intent);
    }

    public final void requestPermissions(String[] permissions, int requestCode) {
        if (requestCode < 0) {
            throw new IllegalArgumentException("requestCode should be >= 0");
        }
        if (mHasCurrentPermissionsRequest) {
            onRequestPermissionsResult(requestCode, new String[0], new int[0]);
            return;
        }
        mHasCurrentPermissionsRequest = true;
        PermissionController.ask(permissions, new PermissionController.Prompt() {
            @Override
            public void shown() {
                mMainThread.handlePauseActivity(Activity.this);
            }

            @Override
            public void answered(int[] results) {
                Intent data = new Intent();
                data.putExtra("android.content.pm.extra.REQUEST_PERMISSIONS_NAMES", permissions);
                data.putExtra("android.content.pm.extra.REQUEST_PERMISSIONS_RESULTS", results);
                dispatchActivityResult(REQUEST_PERMISSIONS_WHO_PREFIX, requestCode, RESULT_OK, data);
                mMainThread.handleResumeActivity(Activity.this);
            }
        });
    }

    void dispatchActivityResult(String who, int requestCode, int resultCode, Intent data) {
        if (who != null && who.startsWith(REQUEST_PERMISSIONS_WHO_PREFIX)) {
            dispatchRequestPermissionsResult(requestCode, data);
        } else {
            onActivityResult(requestCode, resultCode, data);
        }
    }

    private void dispatchRequestPermissionsResult(int requestCode, Intent data) {
        mHasCurrentPermissionsRequest = false;
        String[] permissions = data.getStringArrayExtra("android.content.pm.extra.REQUEST_PERMISSIONS_NAMES");
        int[] grantResults = data.getIntArrayExtra("android.content.pm.extra.REQUEST_PERMISSIONS_RESULTS");
        onRequestPermissionsResult(requestCode, permissions, grantResults);
    }

    public void onRequestPermissionsResult(int requestCode, String[] permissions, int[] grantResults) {
    }

    protected void onActivityResult(int requestCode, int resultCode, Intent data) {
    }
}
