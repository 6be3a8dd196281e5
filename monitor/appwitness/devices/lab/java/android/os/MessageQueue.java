package android.os;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The list of messages to be dispatched by a Looper, ordered by time. */
public final class MessageQueue {
    private final List<Message> mMessages = new ArrayList<>();
    private final List<IdleHandler> mIdleHandlers = new ArrayList<>();
    private boolean mBlocked;
    private boolean mQuitting;

    MessageQueue() {
    }

    /** Callback for when a thread is going to block waiting for more messages. */
    public static interface IdleHandler {
        /** Return true to keep the handler. */
        boolean queueIdle();
    }

    public synchronized void removeIdleHandler(IdleHandler handler) {
        mIdleHandlers.remove(handler);
    }

    /** Whether the thread waits and nothing at all is due, now or later. Used by the lab device only. */
    synchronized boolean isResting() {
        return mBlocked && mMessages.isEmpty() && mIdleHandlers.isEmpty();
    }

    synchronized boolean enqueueMessage(Message msg, long when) {
        if (mQuitting) {
            return false;
        }
        msg.when = when;
        int at = 0;
        while (at < mMessages.size() && mMessages.get(at).when <= when) {
            at++;
        }
        mMessages.add(at, msg);
        notifyAll();
        return true;
    }

    /** The next message when it is due, or null when the queue quits. */
    Message next() {
        boolean idled = false;
        while (true) {
            List<IdleHandler> idlers;
            synchronized (this) {
                if (mQuitting) {
                    return null;
                }
                long now = SystemClock.uptimeMillis();
                if (!mMessages.isEmpty() && mMessages.get(0).when <= now) {
                    mBlocked = false;
                    return mMessages.remove(0);
                }
                if (idled || mIdleHandlers.isEmpty()) {
                    mBlocked = true;
                    try {
                        wait(mMessages.isEmpty() ? 0 : Math.max(1, mMessages.get(0).when - now));
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return null;
                    }
                    mBlocked = false;
                    idled = false;
                    continue;
                }
                idlers = new ArrayList<>(mIdleHandlers);
            }
            for (IdleHandler idler : idlers) {
                if (!idler.queueIdle()) {
                    removeIdleHandler(idler);
                }
            }
            idled = true;
        }
    }

    synchronized void removeMessages(Predicate<Message> which) {
        mMessages.removeIf(which);
    }

    synchronized void quit() {
        mQuitting = true;
        mMessages.clear();
        notifyAll();
    }
}
