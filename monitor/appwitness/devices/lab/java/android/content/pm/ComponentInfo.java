package android.content.pm;

/** What all components of an app have in common. */
public class ComponentInfo extends PackageItemInfo {
    public ApplicationInfo applicationInfo;
    public boolean exported;

    public ComponentInfo() {
    }
}
