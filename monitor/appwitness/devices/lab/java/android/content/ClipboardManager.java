package android.content;

import com.android.lab.Device;

/** The clipboard. */
public class ClipboardManager {
    private ClipData mPrimaryClip = ClipData.newPlainText("text", Device.fact("clipboard"));

    /** The application gets it as a system service. */
    public ClipboardManager(Context context) {
    }

    public ClipData getPrimaryClip() {
        return mPrimaryClip;
    }

    public void setPrimaryClip(ClipData clip) {
        mPrimaryClip = clip;
    }

    public boolean hasPrimaryClip() {
        return mPrimaryClip != null;
    }

    @Deprecated
    public CharSequence getText() {
        return mPrimaryClip == null ? null : mPrimaryClip.getItemAt(0).getText();
    }

    @Deprecated
    public boolean hasText() {
        return hasPrimaryClip();
    }
}
