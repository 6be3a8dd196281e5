package android.view;

/** A parent of views. */
public interface ViewParent {
    ViewParent getParent();

    void requestLayout();
}
