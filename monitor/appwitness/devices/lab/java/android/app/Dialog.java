package android.app;

import android.content.Context;
import android.content.DialogInterface;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewGroup;
import android.view.Window;
import android.view.WindowManagerGlobal;
import com.android.internal.policy.PhoneWindow;

/** Base class for dialogs. */
public class Dialog implements DialogInterface, Window.Callback {
    final Window mWindow;
    private final Context mContext;
    private final Handler mHandler = new Handler(Looper.getMainLooper());
    private OnCancelListener mOnCancel;
    private OnDismissListener mOnDismiss;
    private OnShowListener mOnShow;
    private View mDecor;
    private boolean mCreated;
    private boolean mShowing;
    private boolean mCancelable = true;

    public Dialog(Context context, int themeResId) {
        mContext = context;
        mWindow = new PhoneWindow(context);
        mWindow.setCallback(this);
    }

    public final Context getContext() {
        return mContext;
    }

    public Window getWindow() {
        return mWindow;
    }

    public void create() {
        if (!mCreated) {
            mCreated = true;
            onCreate(null);
        }
    }

    public void show() {
        if (mShowing) {
            return;
        }
        create();
        onStart();
        mDecor = mWindow.getDecorView();
        WindowManagerGlobal.getInstance().addView(mDecor);
        mShowing = true;
        if (mOnShow != null) {
            mHandler.post(() -> mOnShow.onShow(this));
        }
    }

    @Override
    public void dismiss() {
        if (Looper.myLooper() == Looper.getMainLooper()) {
            dismissDialog();
        } else {
            mHandler.post(this::dismissDialog);
        }
    }

    private void dismissDialog() {
        if (mDecor == null || !mShowing) {
            return;
        }
        WindowManagerGlobal.getInstance().removeView(mDecor);
        mDecor = null;
        onStop();
        mShowing = false;
        if (mOnDismiss != null) {
            mHandler.post(() -> mOnDismiss.onDismiss(this));
        }
    }

    @Override
    public void cancel() {
        if (mShowing && mOnCancel != null) {
            mHandler.post(() -> mOnCancel.onCancel(this));
        }
        dismiss();
    }

    protected void onCreate(Bundle savedInstanceState) {
    }

    protected void onStart() {
    }

    protected void onStop() {
    }

    public void setContentView(View view) {
        mWindow.setContentView(view);
    }

    public void setContentView(View view, ViewGroup.LayoutParams params) {
        mWindow.setContentView(view, params);
    }

    public void setTitle(CharSequence title) {
        mWindow.setTitle(title);
    }

    public boolean dispatchTouchEvent(MotionEvent ev) {
        return mWindow.superDispatchTouchEvent(ev) || onTouchEvent(ev);
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
        if (mCancelable) {
            cancel();
        }
    }

    public void setCancelable(boolean flag) {
        mCancelable = flag;
    }

    public void setOnDismissListener(DialogInterface.OnDismissListener listener) {
        mOnDismiss = listener;
    }
}
