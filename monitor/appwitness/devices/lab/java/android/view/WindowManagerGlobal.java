package android.view;

import java.util.ArrayList;
import java.util.List;

/** The windows of this process, the topmost one last. */
public final class WindowManagerGlobal {
    private static final WindowManagerGlobal INSTANCE = new WindowManagerGlobal();
    private final List<ViewRootImpl> mRoots = new ArrayList<>();

    private WindowManagerGlobal() {
    }

    public static WindowManagerGlobal getInstance() {
        return INSTANCE;
    }

    public synchronized void addView(View view) {
        mRoots.add(new ViewRootImpl(view));
    }

    /** Adds an activity's own window below its dialogs, including those shown before it was resumed. */
    public synchronized void addBaseView(View view) {
        int at = 0;
        while (at < mRoots.size() && mRoots.get(at).getView().getContext() != view.getContext()) {
            at++;
        }
        mRoots.add(at, new ViewRootImpl(view));
    }

    public synchronized void removeView(View view) {
        for (ViewRootImpl root : List.copyOf(mRoots)) {
            if (root.getView() == view) {
                mRoots.remove(root);
                root.die();
            }
        }
    }

    /** The screen went on or off: notifies every window, on the main thread. */
    public synchronized void screenStateChanged(int screenState) {
        for (ViewRootImpl root : List.copyOf(mRoots)) {
            root.getView().dispatchScreenStateChanged(screenState);
        }
    }

    /** Whether a window is above its activity's own window: some window below it has the same context. */
    public synchronized boolean isDialog(ViewRootImpl root) {
        int at = mRoots.indexOf(root);
        return mRoots.stream().limit(Math.max(at, 0))
                .anyMatch(below -> below.getView().getContext() == root.getView().getContext());
    }

    /** The window that gets the input, or null. */
    public synchronized ViewRootImpl top() {
        return mRoots.isEmpty() ? null : mRoots.get(mRoots.size() - 1);
    }
}
