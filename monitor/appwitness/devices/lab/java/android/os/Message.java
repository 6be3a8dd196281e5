package android.os;

/** A message containing a description and arbitrary data that can be sent to a Handler. */
public final class Message implements Parcelable {
    public int what;
    public int arg1;
    public int arg2;
    public Object obj;
    long when;
    Bundle data;
    Handler target;
    Runnable callback;

    public Message() {
    }

    public static Message obtain() {
        return new Message();
    }

    public static Message obtain(Handler h) {
        Message message = new Message();
        message.target = h;
        return message;
    }

    public static Message obtain(Handler h, Runnable callback) {
        Message message = obtain(h);
        message.callback = callback;
        return message;
    }

    public static Message obtain(Handler h, int what) {
        Message message = obtain(h);
        message.what = what;
        return message;
    }

    public static Message obtain(Handler h, int what, Object obj) {
        Message message = obtain(h, what);
        message.obj = obj;
        return message;
    }

    public static Message obtain(Handler h, int what, int arg1, int arg2) {
        Message message = obtain(h, what);
        message.arg1 = arg1;
        message.arg2 = arg2;
        return message;
    }

    public static Message obtain(Handler h, int what, int arg1, int arg2, Object obj) {
        Message message = obtain(h, what, arg1, arg2);
        message.obj = obj;
        return message;
    }

    public Bundle getData() {
        if (data == null) {
            data = new Bundle();
        }
        return data;
    }

    public void sendToTarget() {
        target.sendMessage(this);
    }

    public void recycle() {
    }

    @Override
    public String toString() {
        return "{ when=" + when + " what=" + what + " target=" + target + " }";
    }
}
