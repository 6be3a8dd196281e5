package android.view;

/** What is a parent of views. */
public interface ViewParent {
    ViewParent getParent();

    void requestLayout();
}
