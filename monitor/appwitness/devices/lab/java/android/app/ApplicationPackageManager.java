package android.app;

import android.content.pm.ApplicationInfo;
import android.content.pm.PackageInfo;
import android.content.pm.PackageManager;
import com.android.lab.Device;
import java.util.ArrayList;
import java.util.List;

/** Knows everything about this process's app, and only the names of other installed apps. */
final class ApplicationPackageManager extends PackageManager {
    private final ApplicationInfo mInfo;

    ApplicationPackageManager(ApplicationInfo info) {
        mInfo = info;
    }

    private void check(String packageName) throws NameNotFoundException {
        if (!mInfo.packageName.equals(packageName)) {
            throw new NameNotFoundException(packageName);
        }
    }

    @Override
    public PackageInfo getPackageInfo(String packageName, int flags) throws NameNotFoundException {
        check(packageName);
        PackageInfo info = new PackageInfo();
        info.packageName = packageName;
        info.versionName = Device.fact("version.name");
        info.versionCode = Integer.parseInt(Device.fact("version.code"));
        info.applicationInfo = mInfo;
        if ((flags & GET_PERMISSIONS) != 0) {
            info.requestedPermissions = Device.list("permissions.requested").toArray(new String[0]);
        }
        return info;
    }

    @Override
    public List<PackageInfo> getInstalledPackages(int flags) {
        List<PackageInfo> packages = new ArrayList<>();
        for (ApplicationInfo app : getInstalledApplications(flags)) {
            PackageInfo info = new PackageInfo();
            info.packageName = app.packageName;
            info.applicationInfo = app;
            packages.add(info);
        }
        return packages;
    }

    @Override
    public List<ApplicationInfo> getInstalledApplications(int flags) {
        List<ApplicationInfo> apps = new ArrayList<>();
        apps.add(mInfo);
        for (String name : Device.list("installed")) {
            ApplicationInfo info = new ApplicationInfo();
            info.packageName = name;
            apps.add(info);
        }
        return apps;
    }

    @Override
    public ApplicationInfo getApplicationInfo(String packageName, int flags) throws NameNotFoundException {
        check(packageName);
        return mInfo;
    }

    @Override
    public int checkPermission(String permName, String packageName) {
        return mInfo.packageName.equals(packageName) && Device.isGranted(permName)
                ? PERMISSION_GRANTED : PERMISSION_DENIED;
    }
}
