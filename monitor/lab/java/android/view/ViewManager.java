package android.view;

/** Adds and removes views. */
public interface ViewManager {
    void addView(View view, ViewGroup.LayoutParams params);

    void removeView(View view);
}
