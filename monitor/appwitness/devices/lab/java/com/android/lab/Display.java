package com.android.lab;

import java.util.Iterator;
import java.util.ServiceLoader;

/** Whoever else looks at the display and touches it: nobody, unless a service of the class path provides somebody. */
public interface Display {
    static Display display() {
        return Holder.DISPLAY;
    }

    /** Begins to show what is on top, and to take touches; whether there is anybody. */
    default boolean share() {
        return false;
    }

    /** Whether nobody has touched anything, and nothing has changed, for a while. */
    default boolean isResting() {
        return true;
    }

    /** The user left the app. */
    default void goneHome() {
    }

    /** The app is gone: what lies below it is seen again. */
    default void clear() {
    }

    /** The one of this process. */
    final class Holder {
        private static final Display DISPLAY = provided();

        private Holder() {
        }

        private static Display provided() {
            Iterator<Display> provided = ServiceLoader.load(Display.class, Display.class.getClassLoader()).iterator();
            return provided.hasNext() ? provided.next() : new Display() { };
        }
    }
}
