package android.content.pm;

import android.os.Parcelable;

/** Information on an installed package. */
public class PackageInfo implements Parcelable {
    public String packageName;
    public String versionName;
    @Deprecated
    public int versionCode;
    public ApplicationInfo applicationInfo;
    public String[] requestedPermissions;

    public PackageInfo() {
    }
}
