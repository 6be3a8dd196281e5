package android.content;

/** Receives broadcast intents. */
public abstract class BroadcastReceiver {
    public BroadcastReceiver() {
    }

    public abstract void onReceive(Context context, Intent intent);
}
