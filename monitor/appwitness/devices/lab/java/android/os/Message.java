package android.os;

/** A message containing a description and arbitrary data that can be sent to a Handler. */
public final class Message implements Parcelable {
    public int what;
    public Object obj;
    long when;
    Handler target;
    Runnable callback;

    public Message() {
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

    public void sendToTarget() {
        target.sendMessage(this);
    }

    @Override
    public String toString() {
        return "{ when=" + when + " what=" + what + " target=" + target + " }";
    }
}
