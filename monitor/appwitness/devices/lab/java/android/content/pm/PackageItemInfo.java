package android.content.pm;

/** What all items of a manifest have in common. */
public class PackageItemInfo {
    public String name;
    public String packageName;

    public PackageItemInfo() {
    }
}
