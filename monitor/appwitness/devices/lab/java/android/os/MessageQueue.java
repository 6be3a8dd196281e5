package android.os;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The list of messages to be dispatched by a Looper, ordered by time. */
public final class MessageQueue {
    private final List<Message> mMessages = new ArrayList<>();
    private boolean mBlocked;

    MessageQueue() {
    }

    /** Whether the thread is waiting and nothing at all is due, now or later. Only used by the lab device. */
    synchronized boolean isResting() {
        return mBlocked && mMessages.isEmpty();
    }

    synchronized boolean enqueueMessage(Message msg, long when) {
        msg.when = when;
        int at = 0;
        while (at < mMessages.size() && mMessages.get(at).when <= when) {
            at++;
        }
        mMessages.add(at, msg);
        notifyAll();
        return true;
    }

    /** The next message once it is due, or null if the thread is interrupted. */
    synchronized Message next() {
        while (true) {
            long now = SystemClock.uptimeMillis();
            if (!mMessages.isEmpty() && mMessages.get(0).when <= now) {
                mBlocked = false;
                return mMessages.remove(0);
            }
            mBlocked = true;
            try {
                wait(mMessages.isEmpty() ? 0 : Math.max(1, mMessages.get(0).when - now));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return null;
            }
        }
    }

    synchronized void removeMessages(Predicate<Message> which) {
        mMessages.removeIf(which);
    }
}
