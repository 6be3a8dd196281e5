package android.view;

/** Reports movement of a finger. */
public final class MotionEvent extends InputEvent {
    public static final int ACTION_DOWN = 0;
    public static final int ACTION_UP = 1;
    public static final int ACTION_MOVE = 2;
    public static final int ACTION_CANCEL = 3;
    public static final int ACTION_MASK = 0xff;

    private final long mDownTime;
    private final long mEventTime;
    private final float mRawX;
    private final float mRawY;
    private int mAction;
    private float mX;
    private float mY;

    private MotionEvent(long downTime, long eventTime, int action, float x, float y) {
        mDownTime = downTime;
        mEventTime = eventTime;
        mAction = action;
        mRawX = x;
        mRawY = y;
        mX = x;
        mY = y;
    }

    public static MotionEvent obtain(long downTime, long eventTime, int action, float x, float y, int metaState) {
        return new MotionEvent(downTime, eventTime, action, x, y);
    }

    public static MotionEvent obtain(MotionEvent other) {
        MotionEvent event =
                new MotionEvent(other.mDownTime, other.mEventTime, other.mAction, other.mRawX, other.mRawY);
        event.mX = other.mX;
        event.mY = other.mY;
        return event;
    }

    public void recycle() {
    }

    public int getAction() {
        return mAction;
    }

    public int getActionMasked() {
        return mAction & ACTION_MASK;
    }

    public void setAction(int action) {
        mAction = action;
    }

    public long getDownTime() {
        return mDownTime;
    }

    @Override
    public long getEventTime() {
        return mEventTime;
    }

    public float getX() {
        return mX;
    }

    public float getY() {
        return mY;
    }

    public float getRawX() {
        return mRawX;
    }

    public float getRawY() {
        return mRawY;
    }

    public int getPointerCount() {
        return 1;
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
