package android.content.pm;

import android.os.Parcelable;

/** The application element of a manifest. */
public class ApplicationInfo extends PackageItemInfo implements Parcelable {
    public String className;
    public String processName;
    public String dataDir;
    public int uid;
    public int targetSdkVersion = 34;

    public ApplicationInfo() {
    }
}
