package android.app;

import android.content.Context;
import android.content.Intent;
import android.os.Handler;
import android.os.Parcelable;

/** An intent and what to do with it, to be sent later by another app. */
public final class PendingIntent implements Parcelable {
    public static final int FLAG_IMMUTABLE = 1 << 26;
    public static final int FLAG_MUTABLE = 1 << 25;

    private final Context mContext;
    private final Intent mIntent;
    private final boolean mActivity;
    private final int mFlags;
    private boolean mCanceled;

    /** Thrown when a cancelled PendingIntent is sent. */
    public static class CanceledException extends Exception {
        public CanceledException() {
        }
    }

    /** Called when the intent has been sent. */
    public interface OnFinished {
        void onSendFinished(
                PendingIntent pendingIntent, Intent intent, int resultCode, String resultData, android.os.Bundle extras);
    }

    private PendingIntent(Context context, Intent intent, boolean activity, int flags) {
        mContext = context;
        mIntent = intent;
        mActivity = activity;
        mFlags = flags;
    }

    public static PendingIntent getBroadcast(Context context, int requestCode, Intent intent, int flags) {
        return new PendingIntent(context, new Intent(intent), false, checked(flags));
    }

    private static int checked(int flags) {
        if ((flags & (FLAG_IMMUTABLE | FLAG_MUTABLE)) == 0) {
            throw new IllegalArgumentException("Targeting S+ (version 31 and above) requires that one of "
                    + "FLAG_IMMUTABLE or FLAG_MUTABLE be specified when creating a PendingIntent.");
        }
        return flags;
    }

    public void send() throws CanceledException {
        send(null, 0, null);
    }

    public void send(int code) throws CanceledException {
        send(null, code, null);
    }

    public void send(Context context, int code, Intent intent) throws CanceledException {
        send(context, code, intent, null, null);
    }

    public void send(Context context, int code, Intent intent, OnFinished onFinished, Handler handler)
            throws CanceledException {
        if (mCanceled) {
            throw new CanceledException();
        }
        Intent full = new Intent(mIntent);
        if (intent != null && (mFlags & FLAG_IMMUTABLE) == 0) {
            full.fillIn(intent, 0);
        }
        if (mActivity) {
            mContext.startActivity(full);
        } else {
            mContext.sendBroadcast(full);
        }
        if (onFinished != null) {
            onFinished.onSendFinished(this, full, code, null, null);
        }
    }

    public void cancel() {
        mCanceled = true;
    }
}
