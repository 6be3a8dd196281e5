package android.view;

/** Adds and removes views. */
public interface ViewManager {
    void removeView(View view);
}
