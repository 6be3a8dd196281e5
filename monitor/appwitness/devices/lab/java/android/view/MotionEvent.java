package android.view;

/** Reports a finger's movement. */
public final class MotionEvent extends InputEvent {
    public static final int ACTION_DOWN = 0;
    public static final int ACTION_UP = 1;
    public static final int ACTION_MOVE = 2;
    public static final int ACTION_CANCEL = 3;
    public static final int ACTION_MASK = 0xff;

    private final int mAction;
    private float mX;
    private float mY;

    private MotionEvent(int action, float x, float y) {
        mAction = action;
        mX = x;
        mY = y;
    }

    public static MotionEvent obtain(long downTime, long eventTime, int action, float x, float y, int metaState) {
        return new MotionEvent(action, x, y);
    }

    public static MotionEvent obtain(MotionEvent other) {
        return new MotionEvent(other.mAction, other.mX, other.mY);
    }

    public int getAction() {
        return mAction;
    }

    public int getActionMasked() {
        return mAction & ACTION_MASK;
    }

    public float getX() {
        return mX;
    }

    public float getY() {
        return mY;
    }

    public void offsetLocation(float deltaX, float deltaY) {
        mX += deltaX;
        mY += deltaY;
    }

    @Override
    public String toString() {
        return "MotionEvent { action=" + mAction + ", x=" + mX + ", y=" + mY + " }";
    }
}
