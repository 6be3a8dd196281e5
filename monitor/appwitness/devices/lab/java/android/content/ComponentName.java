package android.content;

import android.os.Parcelable;

/** Identifies a component of an application: a package and a class in it. */
public final class ComponentName implements Parcelable, Cloneable, Comparable<ComponentName> {
    private final String mPackage;
    private final String mClass;

    public ComponentName(String pkg, String cls) {
        mPackage = pkg;
        mClass = cls;
    }

    public ComponentName(Context pkg, Class<?> cls) {
        this(pkg.getPackageName(), cls.getName());
    }

    public String getPackageName() {
        return mPackage;
    }

    public String getClassName() {
        return mClass;
    }

    public String flattenToString() {
        return mPackage + "/" + mClass;
    }

    @Override
    public ComponentName clone() {
        return new ComponentName(mPackage, mClass);
    }

    @Override
    public int compareTo(ComponentName that) {
        return flattenToString().compareTo(that.flattenToString());
    }

    @Override
    public boolean equals(Object obj) {
        return obj instanceof ComponentName other && flattenToString().equals(other.flattenToString());
    }

    @Override
    public int hashCode() {
        return flattenToString().hashCode();
    }

    @Override
    public String toString() {
        return "ComponentInfo{" + flattenToString() + "}";
    }
}
