package android.content.pm;

import android.os.Parcelable;

/** A provider element of a manifest. */
public final class ProviderInfo extends ComponentInfo implements Parcelable {
    public String authority;
    public String readPermission;
    public String writePermission;

    public ProviderInfo() {
    }
}
